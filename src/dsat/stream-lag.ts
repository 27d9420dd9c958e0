import { Injectable, Module } from '@nestjs/common';

/** Records that a stream may lack and still counts as up to date. */
const NEARLY_THERE = 500;
/** For how long a stream that was behind counts as such: under load it is so again with the next fetch. */
const BEHIND_MS = 1_000;

/** How far the stream that this process reads is behind. Without the `ingest` role it never is. */
@Injectable()
export class StreamLag {
  /** Set while the stream waits for the second stage: then that one is not to wait for the stream. */
  held = false;
  private readonly lags = new Map<number, number>();
  private behindAt = Number.NEGATIVE_INFINITY;

  set(partition: number, records: number): void {
    const wasLarge = this.isLarge;
    this.lags.set(partition, records);
    if (wasLarge || this.isLarge) this.behindAt = performance.now();
  }

  forget(): void {
    this.lags.clear();
  }

  get isBehind(): boolean {
    return !this.held && (this.isLarge || performance.now() - this.behindAt < BEHIND_MS);
  }

  private get isLarge(): boolean {
    let records = 0;
    for (const lag of this.lags.values()) records += lag;
    return records > NEARLY_THERE;
  }
}

/** One for the roles that run in one process. */
@Module({ providers: [StreamLag], exports: [StreamLag] })
export class StreamLagModule {}
