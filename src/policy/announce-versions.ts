import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { type DataSource, IsNull } from 'typeorm';
import type { Config } from '../config/config.js';
import { DriftError } from '../drift-error.js';
import { type BrokerList, connectionOf } from '../kafka/broker-list.js';
import { ensureTopics, serviceTopics } from '../stack/topics.js';
import type { Fenced } from '../training/store/trainer-lease.js';
import { policyPublishedOf } from './policy-event.js';
import { PolicyVersionEntity } from './policy-version.entity.js';

const ALL_REPLICAS = -1;

/**
 * Sends `policy.published` for each published version whose event is not known to have reached Kafka, oldest first, and
 * returns the versions. After a crash between event and row the event is sent again: same key, same content.
 * @throws DriftError `broker-unavailable`
 */
export async function announceVersions(
  dataSource: DataSource,
  lease: Fenced,
  brokers: BrokerList,
  topics: Config['topics'],
): Promise<string[]> {
  const pending = await dataSource.getRepository(PolicyVersionEntity).find({
    where: { status: 'published', announcedAt: IsNull() },
    order: { number: 'ASC' },
  });
  if (pending.length === 0) return [];
  await ensureTopics(brokers, serviceTopics(topics));
  await send(brokers, topics.policyVersions, pending);
  const versions = pending.map(({ version }) => version);
  await lease.write((manager) =>
    manager.query('UPDATE policy_versions SET announced_at = now() WHERE version = ANY ($1)', [versions]),
  );
  return versions;
}

async function send(brokers: BrokerList, topic: string, policies: readonly PolicyVersionEntity[]): Promise<void> {
  const producer = new Kafka({
    clientId: 'driftloop-train',
    ...connectionOf(brokers),
    logLevel: logLevel.NOTHING,
  }).producer();
  const messages = policies.map((policy) => ({
    key: policy.version,
    value: JSON.stringify(policyPublishedOf(policy)),
  }));
  try {
    await producer.connect();
    await producer.send({ topic, acks: ALL_REPLICAS, compression: CompressionTypes.None, messages });
  } catch (cause) {
    const message = `The event of ${messages.map(({ key }) => key).join(', ')} did not reach ${topic}: ${(cause as Error).message}. The next \`driftloop train\` sends it.`;
    throw new DriftError('broker-unavailable', message, { cause, retriable: true });
  } finally {
    await producer.disconnect();
  }
}
