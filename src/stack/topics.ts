import { Kafka, logLevel } from 'kafkajs';
import type { Config } from '../config/config.js';
import { DriftError } from '../drift-error.js';

/** As many consumers of one group can share the chat turns. */
const TURN_PARTITIONS = 6;
/** Whatever the broker's own default is. */
const BROKER_DEFAULT = -1;

/**
 * Creates the topics that do not exist yet, and returns their names.
 * @throws DriftError `broker-unavailable`
 */
export async function ensureTopics(brokers: string[], topics: Config['topics']): Promise<string[]> {
  const kafka = new Kafka({ clientId: 'driftloop', brokers, logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const existing = new Set(await admin.listTopics());
    const missing = wanted(topics).filter(({ topic }) => !existing.has(topic));
    if (missing.length > 0) await admin.createTopics({ topics: missing, waitForLeaders: true });
    return missing.map(({ topic }) => topic);
  } catch (cause) {
    const message = `Kafka at ${brokers.join(', ')} does not answer: ${(cause as Error).message}. Check KAFKA_BROKERS.`;
    throw new DriftError('broker-unavailable', message, { cause, retriable: true });
  } finally {
    await admin.disconnect();
  }
}

function wanted(topics: Config['topics']) {
  return [
    { topic: topics.turns, numPartitions: TURN_PARTITIONS, replicationFactor: BROKER_DEFAULT },
    { topic: topics.deadLetters, numPartitions: 1, replicationFactor: BROKER_DEFAULT },
    {
      topic: topics.policyVersions,
      numPartitions: 1,
      replicationFactor: BROKER_DEFAULT,
      configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
    },
  ];
}
