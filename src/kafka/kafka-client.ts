import type { Logger } from '@nestjs/common';
import kafkajs, {
  type Admin,
  Kafka,
  type KafkaConfig,
  type LogEntry,
  logLevel,
  Partitioners,
  type Producer,
} from 'kafkajs';
import { brokerUnavailable } from './broker-error.js';
import { registerCodecs } from './codecs.js';
import type { KafkaServers } from './kafka-servers.js';
import { securityOptions } from './security-options.js';

registerCodecs();

export interface ClientOptions extends Pick<KafkaConfig, 'connectionTimeout' | 'retry'> {
  clientId?: string;
  logger?: Logger;
}

/**
 * The only place that makes clients of Kafka. A client says what fails by throwing it; with a logger, also what it
 * retries: its errors are our warnings.
 */
export function createKafka(
  { kafkaBrokers: brokers, kafkaSecurity }: KafkaServers,
  { logger, clientId = 'driftloop', ...options }: ClientOptions = {},
): Kafka {
  const logging = logger
    ? { logLevel: logLevel.WARN, logCreator: () => logTo(logger) }
    : { logLevel: logLevel.NOTHING };
  return new Kafka({ clientId, brokers, ...options, ...securityOptions(kafkaSecurity), ...logging });
}

function logTo(logger: Logger) {
  return ({ level, log: { message, error } }: LogEntry) => {
    const text = error ? `${message}: ${error}` : message;
    if (level === logLevel.ERROR) logger.warn(text);
    else logger.debug(text);
  };
}

/** For producers: the partitioner of Kafka's own clients, so that a key goes to the same partition from everywhere. */
export const createPartitioner = Partitioners.DefaultPartitioner;

/** @throws DriftError `broker-unavailable` where the broker cannot be reached */
export async function withAdmin<T>(
  servers: KafkaServers,
  clientId: string,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = createKafka(servers, { clientId }).admin();
  try {
    await admin.connect();
  } catch (cause) {
    throw brokerUnavailable('Kafka does not answer', cause, servers.kafkaSecurity);
  }
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** @throws DriftError `broker-unavailable` where the broker cannot be reached, or does not take what is sent */
export async function withProducer<T>(servers: KafkaServers, use: (producer: Producer) => Promise<T>): Promise<T> {
  const options = { createPartitioner, idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false };
  const producer = createKafka(servers).producer(options);
  try {
    await producer.connect();
    return await use(producer);
  } catch (cause) {
    if (!(cause instanceof kafkajs.KafkaJSError)) throw cause;
    const what = `Kafka at ${servers.kafkaBrokers.join(', ')} did not take the records`;
    throw brokerUnavailable(what, cause, servers.kafkaSecurity);
  } finally {
    await producer.disconnect();
  }
}
