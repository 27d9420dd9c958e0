import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { setHeld } from '../metrics/ingest-metrics.js';
import type { StreamLag } from './stream-lag.js';

/** How old a count may be. */
const COUNT_MS = 1_000;
const POLL_MS = 250;
/** From the limit on nothing is added until so much of it is left. */
const LOW = 0.9;

export interface BacklogLimitOptions {
  /** Verdicts that may wait for the second stage. */
  limit: number;
  /** How many wait, at most the number given. */
  count: (atMost: number) => Promise<number>;
  lag: StreamLag;
}

/**
 * Holds ingestion while too many verdicts wait for the second stage. What is not taken yet stays in Kafka, which is made
 * for it; a table of unsettled verdicts that grows for ever is not.
 */
export class BacklogLimit {
  private readonly logger = new Logger(BacklogLimit.name);
  private countedAt = Number.NEGATIVE_INFINITY;
  private holding?: Promise<void>;

  constructor(private readonly options: BacklogLimitOptions) {}

  /** Resolves while there is room. @throws what counting throws, and the signal's reason */
  async room(signal: AbortSignal): Promise<void> {
    this.holding ??= this.hold(signal).finally(() => {
      this.holding = undefined;
    });
    await this.holding;
    signal.throwIfAborted();
  }

  private async hold(signal: AbortSignal): Promise<void> {
    const { limit, count } = this.options;
    if (performance.now() - this.countedAt < COUNT_MS) return;
    if ((await count(limit)) >= limit) {
      this.logger.warn(`${limit} verdicts wait for the second stage: nothing is read until ${LOW * limit} do.`);
      this.say(true);
      try {
        do await sleep(POLL_MS, undefined, { signal });
        while ((await count(limit)) > LOW * limit);
      } finally {
        this.say(false);
      }
    }
    this.countedAt = performance.now();
  }

  private say(held: boolean): void {
    this.options.lag.held = held;
    setHeld(held);
  }
}
