import { Injectable, Module } from '@nestjs/common';

/** Records that a stream may lack and still counts as up to date. */
const NEARLY_THERE = 500;

/** How far the stream that this process reads is behind. Without the `ingest` role it never is. */
@Injectable()
export class StreamLag {
  /** Set while the stream waits for the second stage: then that one is not to wait for the stream. */
  held = false;
  private readonly lags = new Map<number, number>();

  set(partition: number, records: number): void {
    this.lags.set(partition, records);
  }

  forget(): void {
    this.lags.clear();
  }

  get isBehind(): boolean {
    if (this.held) return false;
    let records = 0;
    for (const lag of this.lags.values()) records += lag;
    return records > NEARLY_THERE;
  }
}

/** One for the roles that run in one process. */
@Module({ providers: [StreamLag], exports: [StreamLag] })
export class StreamLagModule {}
