import type { KafkaSecurity } from '../config/kafka-security.js';

/** The brokers, and how to connect to them: what every client is made of. */
export interface KafkaServers {
  kafkaBrokers: string[];
  kafkaSecurity?: KafkaSecurity;
}
