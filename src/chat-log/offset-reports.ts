import { Logger } from '@nestjs/common';
import type { EachBatchPayload } from 'kafkajs';
import type { StreamLag } from '../dsat/stream-lag.js';
import { forgetPartitions, observeAge, observeLag } from '../metrics/ingest-metrics.js';
import type { OffsetRange } from './consumer-offsets.js';
import type { FetchedBatch } from './ingest.service.js';

/** Kafka's own offsets only show the lag to Kafka's tools. */
const COMMIT_INTERVAL_MS = 1_000;

/** Tells Kafka, the metrics and the second stage how far the topic is stored; nothing is read on from what they know. */
export class OffsetReports {
  private readonly logger = new Logger(OffsetReports.name);
  private readonly committedAt = new Map<number, number>();
  /** The next offset of each partition that is read, as it was stored last. */
  private readonly stored = new Map<number, bigint>();

  constructor(
    private readonly topic: string,
    private readonly lag: StreamLag,
  ) {}

  forget(): void {
    forgetPartitions();
    this.lag.forget();
    this.stored.clear();
  }

  sayStored(partition: number, nextOffset: bigint, end: bigint): void {
    this.stored.set(partition, nextOffset);
    this.lag.set(partition, Number(end - nextOffset));
    observeLag(this.topic, partition, end - nextOffset);
  }

  /** What is there counts from when it is seen, also while nothing is stored. */
  sayEnds(ranges: readonly Pick<OffsetRange, 'partition' | 'high'>[]): void {
    for (const { partition, high } of ranges) {
      const nextOffset = this.stored.get(partition);
      if (nextOffset !== undefined && high > nextOffset) this.sayStored(partition, nextOffset, high);
    }
  }

  /** Call it when all records of the batch are stored. */
  async say(payload: EachBatchPayload, { messages, nextOffset }: Pick<FetchedBatch, 'messages' | 'nextOffset'>) {
    const { partition, highWatermark } = payload.batch;
    const end = BigInt(highWatermark);
    this.sayStored(partition, nextOffset, end);
    if (messages[0]) observeAge(this.topic, partition, (Date.now() - Number(messages[0].timestamp)) / 1_000);
    const sinceCommit = performance.now() - (this.committedAt.get(partition) ?? -COMMIT_INTERVAL_MS);
    if (end > nextOffset && sinceCommit < COMMIT_INTERVAL_MS) return;
    this.committedAt.set(partition, performance.now());
    await this.commit(payload, nextOffset);
  }

  private async commit({ batch, commitOffsetsIfNecessary }: EachBatchPayload, nextOffset: bigint): Promise<void> {
    const partitions = [{ partition: batch.partition, offset: nextOffset.toString() }];
    try {
      await commitOffsetsIfNecessary({ topics: [{ topic: batch.topic, partitions }] });
    } catch (error) {
      this.logger.debug(`The offset of ${batch.topic}/${batch.partition} could not be told to Kafka: ${String(error)}`);
    }
  }
}
