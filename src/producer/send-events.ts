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

/** Of one request to the broker, so that it stays under the 1 MiB that brokers take by default. */
const REQUEST_BYTES = 512 * 1024;

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

function* inRequests(records: EventRecord[]): Generator<EventRecord[]> {
  let request: EventRecord[] = [];
  let room = REQUEST_BYTES;
  for (const record of records) {
    const bytes = Buffer.byteLength(record.value) + Buffer.byteLength(record.key);
    if (request.length > 0 && bytes > room) {
      yield request;
      request = [];
      room = REQUEST_BYTES;
    }
    request.push(record);
    room -= bytes;
  }
  if (request.length > 0) yield request;
}
