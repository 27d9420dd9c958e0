import { withAdmin } from '../kafka/kafka-client.js';
import type { KafkaServers } from '../kafka/kafka-servers.js';

/**
 * Takes away all that the topic of dead letters holds until now, and returns how many records that were. The letters
 * themselves are in PostgreSQL and stay.
 * @throws DriftError `broker-unavailable`; what Kafka says where the account may not
 */
export function emptyLetterTopic(servers: KafkaServers, topic: string): Promise<number> {
  return withAdmin(servers, 'driftloop-dlq', async (admin) => {
    const held = (await admin.fetchTopicOffsets(topic)).filter(({ low, high }) => low !== high);
    if (held.length > 0) {
      const partitions = held.map(({ partition, high }) => ({ partition, offset: high }));
      await admin.deleteTopicRecords({ topic, partitions });
    }
    return held.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
  });
}
