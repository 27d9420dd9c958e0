import { randomUUID } from 'node:crypto';
import type { Config } from '../../config/config.js';
import { DriftError } from '../../drift-error.js';
import { createKafka } from '../../kafka/kafka-client.js';
import type { Stack } from '../../stack/stack.js';

const TIMEOUT_MS = 30_000;

/**
 * Reads the `policy.published` event of a version back from Kafka, as a serving fleet would.
 * @throws DriftError `not-found` when the topic does not hold it
 */
export async function readPublishedEvent(
  config: Config,
  stack: Stack,
  version: string,
): Promise<Record<string, unknown>> {
  const kafka = createKafka(stack, { clientId: 'driftloop-quickstart' });
  const consumer = kafka.consumer({ groupId: `driftloop-quickstart-${randomUUID()}` });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic: config.topics.policyVersions, fromBeginning: true });
    return await new Promise((resolve, reject) => {
      const missing = `No event for ${version} on ${config.topics.policyVersions} within ${TIMEOUT_MS / 1000} s.`;
      const timer = setTimeout(() => reject(new DriftError('not-found', missing)), TIMEOUT_MS);
      const eachMessage = async ({ message }: { message: { key: Buffer | null; value: Buffer | null } }) => {
        if (message.key?.toString() !== version || message.value === null) return;
        clearTimeout(timer);
        resolve(JSON.parse(message.value.toString()));
      };
      consumer.run({ eachMessage }).catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
}
