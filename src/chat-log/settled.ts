import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import type { DataSource } from 'typeorm';
import { untilDone } from '../backoff.js';
import { provisionalBacklog } from '../dsat/verdict-rows.js';
import { withAdmin } from '../kafka/kafka-client.js';
import type { KafkaServers } from '../kafka/kafka-servers.js';
import { storedPositions } from './consumer-offsets.js';

export interface SettleOptions {
  dataSource: DataSource;
  kafka: KafkaServers;
  topic: string;
  consumerGroup: string;
  onProgress?: (progress: SettleProgress) => void;
  signal?: AbortSignal;
}

export interface SettleProgress {
  /** Records of the topic that are not in PostgreSQL yet. */
  behind: number;
  /** Verdicts that the second stage still has to settle. */
  provisional: number;
}

const POLL_MS = 200;

/**
 * Resolves when PostgreSQL has everything that is on the topic by then, and no verdict is provisional.
 * @throws DriftError `broker-unavailable`; the signal's reason once it is aborted
 */
export async function waitUntilSettled({ onProgress, signal, ...options }: SettleOptions): Promise<void> {
  await withAdmin(options.kafka, 'driftloop-settled', async (admin) => {
    for (;;) {
      const progress = await untilDone(
        () => measure(admin, options),
        { firstMs: POLL_MS, maxMs: POLL_MS, signal, onFailure: () => {} },
        (error) => error instanceof kafkajs.KafkaJSError && error.retriable,
      );
      onProgress?.(progress);
      if (progress.behind === 0 && progress.provisional === 0) return;
      await sleep(POLL_MS, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  });
}

type Place = Omit<SettleOptions, 'onProgress' | 'signal'>;

/** The backlog is read after the offsets: what these records made provisional is counted. */
async function measure(admin: Admin, { dataSource, topic, consumerGroup }: Place): Promise<SettleProgress> {
  const ends = await admin.fetchTopicOffsets(topic);
  const stored = await storedPositions(dataSource, consumerGroup, topic);
  const behind = ends.reduce((sum, { partition, low, high }) => {
    const missing = BigInt(high) - (stored.get(partition)?.nextOffset ?? BigInt(low));
    return sum + Math.max(0, Number(missing));
  }, 0);
  return { behind, provisional: await provisionalBacklog(dataSource) };
}
