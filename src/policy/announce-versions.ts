import { CompressionTypes } from 'kafkajs';
import { type DataSource, IsNull } from 'typeorm';
import type { Config } from '../config/config.js';
import { brokerUnavailable } from '../kafka/broker-error.js';
import { createKafka } from '../kafka/kafka-client.js';
import type { KafkaServers } from '../kafka/kafka-servers.js';
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
  kafka: KafkaServers,
  topics: Config['topics'],
): Promise<string[]> {
  const pending = await dataSource.getRepository(PolicyVersionEntity).find({
    where: { status: 'published', announcedAt: IsNull() },
    order: { number: 'ASC' },
  });
  if (pending.length === 0) return [];
  await ensureTopics(kafka, serviceTopics(topics));
  await send(kafka, topics.policyVersions, pending);
  const versions = pending.map(({ version }) => version);
  await lease.write((manager) =>
    manager.query('UPDATE policy_versions SET announced_at = now() WHERE version = ANY ($1)', [versions]),
  );
  return versions;
}

async function send(kafka: KafkaServers, topic: string, policies: readonly PolicyVersionEntity[]): Promise<void> {
  const producer = createKafka(kafka, { clientId: 'driftloop-train' }).producer();
  const messages = policies.map((policy) => ({
    key: policy.version,
    value: JSON.stringify(policyPublishedOf(policy)),
  }));
  try {
    await producer.connect();
    await producer.send({ topic, acks: ALL_REPLICAS, compression: CompressionTypes.None, messages });
  } catch (cause) {
    const versions = messages.map(({ key }) => key).join(', ');
    const what = `The event of ${versions} did not reach ${topic}, the next \`driftloop train\` sends it`;
    throw brokerUnavailable(what, cause, kafka.kafkaSecurity);
  } finally {
    await producer.disconnect();
  }
}
