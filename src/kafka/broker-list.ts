import type { KafkaConfig } from 'kafkajs';
import type { KafkaSecurity } from './kafka-security.js';

/** Bootstrap servers, and how a client of them is let in; embedded ones need nothing. */
export interface BrokerList extends Array<string> {
  security?: KafkaSecurity;
}

export function brokerList(brokers: string[], security: KafkaSecurity): BrokerList {
  return Object.assign([...brokers], { security });
}

/** What a client needs to reach them. */
export function connectionOf(brokers: BrokerList): Pick<KafkaConfig, 'brokers' | 'ssl' | 'sasl'> {
  return { brokers: [...brokers], ...brokers.security };
}

const HINTS = [
  [/SASL|authenticat/i, 'Check DRIFTLOOP_KAFKA_SASL_MECHANISM and the credentials'],
  [/certificate|self.signed|TLS|SSL|EPROTO|altname/i, 'Check DRIFTLOOP_KAFKA_TLS and DRIFTLOOP_KAFKA_TLS_CA'],
] as const;

/** What to look at when a client cannot connect. kafkajs tells these apart by their texts alone. */
export function connectionHint(error: unknown): string {
  const text = `${(error as Error)?.name} ${(error as Error)?.message}`;
  return HINTS.find(([pattern]) => pattern.test(text))?.[1] ?? 'Check KAFKA_BROKERS';
}
