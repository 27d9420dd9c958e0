import { Logger } from '@nestjs/common';
import { type Admin, Kafka, type LogEntry, logLevel } from 'kafkajs';
import { DriftError } from '../drift-error.js';

/** A client whose log goes to ours. What kafkajs calls an error heals itself (it retries): a warning here. */
export function createKafka(brokers: string[], clientId = 'driftloop'): Kafka {
  const logger = new Logger('Kafka');
  const write = ({ level, log: { message, error } }: LogEntry) => {
    const text = error ? `${message}: ${error}` : message;
    if (level <= logLevel.WARN) logger.warn(text);
    else logger.debug(text);
  };
  return new Kafka({ clientId, brokers, logLevel: logLevel.WARN, logCreator: () => write });
}

/** @throws DriftError `broker-unavailable` where the broker cannot be reached */
export async function withAdmin<T>(kafka: Kafka, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
  } catch (cause) {
    const message = `Kafka does not answer: ${(cause as Error).message}. Check KAFKA_BROKERS.`;
    throw new DriftError('broker-unavailable', message, { cause, retriable: true });
  }
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}
