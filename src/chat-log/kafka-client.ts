import type { Logger } from '@nestjs/common';
import kafkajs, { type Admin, Kafka, type LogEntry, logLevel, Partitioners, type Producer } from 'kafkajs';
import { DriftError } from '../drift-error.js';
import { type BrokerList, connectionHint, connectionOf } from '../kafka/broker-list.js';

/** A client that says what fails by throwing it. With a logger, also what it retries: its errors are our warnings. */
export function createKafka(brokers: BrokerList, clientId = 'driftloop', logger?: Logger): Kafka {
  if (!logger) return new Kafka({ clientId, ...connectionOf(brokers), logLevel: logLevel.NOTHING });
  const write = ({ level, log: { message, error } }: LogEntry) => {
    const text = error ? `${message}: ${error}` : message;
    if (level === logLevel.ERROR) logger.warn(text);
    else logger.debug(text);
  };
  return new Kafka({ clientId, ...connectionOf(brokers), logLevel: logLevel.WARN, logCreator: () => write });
}

/** For producers: the partitioner of Kafka's own clients, so that a key goes to the same partition from everywhere. */
export const createPartitioner = Partitioners.DefaultPartitioner;

/** @throws DriftError `broker-unavailable` where the broker cannot be reached */
export async function withAdmin<T>(kafka: Kafka, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
  } catch (cause) {
    const message = `Kafka does not answer: ${(cause as Error).message}. ${connectionHint(cause)}.`;
    throw new DriftError('broker-unavailable', message, { cause, retriable: true });
  }
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** @throws DriftError `broker-unavailable` where the broker cannot be reached, or does not take what is sent */
export async function withProducer<T>(brokers: string[], use: (producer: Producer) => Promise<T>): Promise<T> {
  const options = { createPartitioner, idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false };
  const producer = createKafka(brokers).producer(options);
  try {
    await producer.connect();
    return await use(producer);
  } catch (cause) {
    if (!(cause instanceof kafkajs.KafkaJSError)) throw cause;
    const message = `Kafka at ${brokers.join(', ')} did not take the records: ${cause.message}.`;
    throw new DriftError('broker-unavailable', message, { cause, retriable: true });
  } finally {
    await producer.disconnect();
  }
}
