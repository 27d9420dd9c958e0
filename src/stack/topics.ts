import type { Admin, ITopicConfig } from 'kafkajs';
import { untilDone } from '../backoff.js';
import type { Config } from '../config/config.js';
import { brokerUnavailable } from '../kafka/broker-error.js';
import { createKafka } from '../kafka/kafka-client.js';
import type { KafkaServers } from '../kafka/kafka-servers.js';

/** The largest batch of records that a topic takes. */
export const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;
const PARTITIONS = 6;

/** How long new topics may be without leaders. */
const LEADERS_MS = 60_000;
const LEADERS_RETRY = { firstMs: 20, maxMs: 1_000, onFailure: () => {} };

/** Dead letters are in PostgreSQL, where they can be erased; on their topic they only go by. Counted from when they came there. */
const LETTERS_KEPT = [
  { name: 'retention.ms', value: String(7 * 24 * 3_600_000) },
  { name: 'segment.ms', value: String(24 * 3_600_000) },
  { name: 'message.timestamp.type', value: 'LogAppendTime' },
];

/** The topics of the service. Versions are few and in one order: one partition, compacted by version. */
export function serviceTopics({ turns, deadLetters, policyVersions }: Config['topics']): ITopicConfig[] {
  const large = [{ name: 'max.message.bytes', value: String(MAX_MESSAGE_BYTES) }];
  return [
    { topic: turns, numPartitions: PARTITIONS, configEntries: large },
    { topic: deadLetters, numPartitions: PARTITIONS, configEntries: [...large, ...LETTERS_KEPT] },
    { topic: policyVersions, numPartitions: 1, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] },
  ];
}

/**
 * Makes the topics that are missing and leaves the others as they are; waits until the new ones have leaders.
 * @returns the names of those it made
 * @throws DriftError `broker-unavailable`
 */
export async function ensureTopics(servers: KafkaServers, topics: ITopicConfig[]): Promise<string[]> {
  try {
    return await withAdmin(servers, { retries: 5 }, async (admin) => {
      const there = new Set(await admin.listTopics());
      const missing = topics.filter(({ topic }) => !there.has(topic));
      if (missing.length > 0) await makeTopics(admin, missing);
      return missing.map(({ topic }) => topic);
    });
  } catch (cause) {
    const { kafkaBrokers, kafkaSecurity } = servers;
    throw brokerUnavailable(`Topics could not be made on Kafka at ${kafkaBrokers.join(', ')}`, cause, kafkaSecurity);
  }
}

/**
 * Makes topics and waits until they have leaders. kafkajs, asked to wait for them, gives up where a broker has not heard
 * of a topic yet.
 */
export async function makeTopics(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics, waitForLeaders: false });
  const names = topics.map(({ topic }) => topic);
  const signal = AbortSignal.timeout(LEADERS_MS);
  await untilDone(() => admin.fetchTopicMetadata({ topics: names }), { ...LEADERS_RETRY, signal });
}

/** Whether a broker is up and has a controller. */
export async function brokersAnswer(kafkaBrokers: string[]): Promise<boolean> {
  try {
    const cluster = await withAdmin({ kafkaBrokers }, { retries: 0 }, (admin) => admin.describeCluster());
    return cluster.brokers.length > 0 && cluster.controller !== null;
  } catch {
    return false;
  }
}

async function withAdmin<T>(
  servers: KafkaServers,
  retry: { retries: number },
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = createKafka(servers, { clientId: 'driftloop-admin', connectionTimeout: 2_000, retry }).admin();
  try {
    await admin.connect();
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}
