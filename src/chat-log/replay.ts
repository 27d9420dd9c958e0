import { setTimeout as sleep } from 'node:timers/promises';
import type { Message, Producer } from 'kafkajs';
import { DriftError } from '../drift-error.js';
import { brokerUnavailable } from '../kafka/broker-error.js';
import { createKafka, createPartitioner } from '../kafka/kafka-client.js';
import type { KafkaServers } from '../kafka/kafka-servers.js';
import type { CorpusConversation } from './sharegpt-corpus.js';
import { TURN_SCHEMA, type TurnEvent } from './turn-event.js';

export interface ReplayTarget {
  kafka: KafkaServers;
  topic: string;
  /** Upper limit; none without it. */
  turnsPerSecond?: number;
  onProgress?: (progress: ReplayResult) => void;
  signal?: AbortSignal;
}

export interface ReplayOptions extends ReplayTarget {
  conversations: Iterable<CorpusConversation>;
  /** Makes the conversation ids other ones, so that the same logs can be replayed as new conversations. */
  salt?: string;
}

export interface ReplayResult {
  conversations: number;
  turns: number;
  seconds: number;
}

/** A turn of a conversation as a record: its event in JSON, and the conversation id as its key. */
export interface TurnRecord {
  conversationId: string;
  value: string;
}

/** Of one request to the broker, so that it stays under the 1 MiB that brokers take by default. */
const REQUEST_BYTES = 512 * 1024;

/** The corpus gives no times: the first turn of every conversation is said at this one, each next one a minute later. */
const FIRST_TURN_AT = Date.parse('2023-04-01T00:00:00Z');
/** Who wrote the assistant turns of the corpus. */
const CORPUS_MODEL = 'chatgpt';

/**
 * Produces conversations to Kafka as `driftloop.turn.v1` events, each conversation's turns in order.
 * @throws DriftError `broker-unavailable`; the signal's reason once it is aborted
 */
export function replayConversations({ conversations, salt, ...target }: ReplayOptions): Promise<ReplayResult> {
  return replayTurns(turnRecords(conversations, salt), target);
}

/**
 * Produces turns to Kafka in the order given; the key keeps a conversation's turns in one partition, in that order.
 * @throws DriftError `broker-unavailable`; the signal's reason once it is aborted
 */
export async function replayTurns(
  records: Iterable<TurnRecord> | AsyncIterable<TurnRecord>,
  target: ReplayTarget,
): Promise<ReplayResult> {
  const producer = createKafka(target.kafka, { clientId: 'driftloop-replay' }).producer({
    createPartitioner,
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  });
  try {
    await producer.connect();
    return await produce(producer, records, target);
  } catch (cause) {
    if (cause instanceof DriftError || target.signal?.aborted) throw cause;
    const { kafkaBrokers, kafkaSecurity } = target.kafka;
    throw brokerUnavailable(`Kafka at ${kafkaBrokers.join(', ')} did not take the turns`, cause, kafkaSecurity);
  } finally {
    await producer.disconnect();
  }
}

async function produce(
  producer: Producer,
  records: Iterable<TurnRecord> | AsyncIterable<TurnRecord>,
  { topic, turnsPerSecond = Number.POSITIVE_INFINITY, onProgress, signal }: ReplayTarget,
): Promise<ReplayResult> {
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1_000;
  const conversations = new Set<string>();
  let turns = 0;
  for await (const request of inRequests(records, turnsPerSecond)) {
    signal?.throwIfAborted();
    await producer.send({ topic, acks: -1, messages: request.map(asMessage) });
    turns += request.length;
    for (const { conversationId } of request) conversations.add(conversationId);
    onProgress?.({ conversations: conversations.size, turns, seconds: seconds() });
    const aheadMs = (turns / turnsPerSecond - seconds()) * 1_000;
    if (aheadMs > 0) await sleep(aheadMs, undefined, { signal });
  }
  return { conversations: conversations.size, turns, seconds: seconds() };
}

const asMessage = ({ conversationId, value }: TurnRecord): Message => ({ key: conversationId, value });

/** Requests of at most `REQUEST_BYTES`, and of at most a tenth of a second where the rate is limited. */
async function* inRequests(
  records: Iterable<TurnRecord> | AsyncIterable<TurnRecord>,
  turnsPerSecond: number,
): AsyncGenerator<TurnRecord[]> {
  const most = Math.max(1, turnsPerSecond / 10);
  let request: TurnRecord[] = [];
  let room = REQUEST_BYTES;
  for await (const record of records) {
    const bytes = Buffer.byteLength(record.value) + Buffer.byteLength(record.conversationId);
    if (request.length > 0 && (bytes > room || request.length >= most)) {
      yield request;
      request = [];
      room = REQUEST_BYTES;
    }
    request.push(record);
    room -= bytes;
  }
  if (request.length > 0) yield request;
}

/** The turns of conversations of the corpus as events. */
export function* turnRecords(conversations: Iterable<CorpusConversation>, salt?: string): Generator<TurnRecord> {
  for (const { id, turns } of conversations) {
    const conversationId = salt === undefined ? id : `${id}~${salt}`;
    for (const [turn, { role, content }] of turns.entries()) {
      const event: TurnEvent = {
        schema: TURN_SCHEMA,
        conversationId,
        turn,
        role,
        content,
        occurredAt: new Date(FIRST_TURN_AT + turn * 60_000).toISOString(),
        ...(role === 'assistant' ? { model: CORPUS_MODEL } : {}),
      };
      yield { conversationId, value: JSON.stringify(event) };
    }
  }
}
