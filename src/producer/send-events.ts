import { inRequests } from '../chat-log/requests.js';
import { type ChatEvent, type EventRecord, eventRecord } from './event-record.js';

/**
 * The part of a kafkajs producer that is needed; it has to be connected. Make it idempotent, and with the default
 * partitioner, so that a conversation is in the same partition wherever it was produced.
 */
export interface KafkaProducer {
  send(request: { topic: string; acks?: number; messages: EventRecord[] }): Promise<unknown>;
}

export interface SendOptions {
  /** `chat.turns` unless given. */
  topic?: string;
}

/**
 * Sends events in the order given; resolves when all in-sync replicas have them. Where it fails, send all of them
 * again: what is stored already counts as a duplicate.
 * @throws DriftError `record-invalid` before anything is sent; what the producer throws
 */
export async function sendEvents(
  producer: KafkaProducer,
  events: readonly ChatEvent[],
  { topic = 'chat.turns' }: SendOptions = {},
): Promise<void> {
  for (const messages of inRequests(events.map(eventRecord))) await producer.send({ topic, acks: -1, messages });
}
