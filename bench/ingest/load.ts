import { type Message, Partitioners } from 'kafkajs';
import { turnRecords } from '../../src/chat-log/replay.js';
import type { CorpusConversation } from '../../src/chat-log/sharegpt-corpus.js';
import { withProducer } from '../../src/kafka/kafka-client.js';

/** Conversations that go on at the same time. */
const BESIDE = 100;
const PARTITIONS = 6;
const REQUEST_RECORDS = 200;

export interface TurnMessage extends Message {
  key: string;
  value: string;
  partition: number;
  /** Within its conversation. */
  turn: number;
}

/** The corpus's turns without end: when it is used up, again under other ids. */
export function* turnMessages(corpus: CorpusConversation[], salt: string): Generator<TurnMessage> {
  const partition = partitioner();
  for (let round = 0; ; round++) {
    for (let at = 0; at < corpus.length; at += BESIDE) {
      for (const message of beside(corpus.slice(at, at + BESIDE), `${salt}${round}`)) {
        yield { ...message, partition: partition(message.key) };
      }
    }
  }
}

function* beside(conversations: CorpusConversation[], salt: string): Generator<Omit<TurnMessage, 'partition'>> {
  const speaking = conversations.map((conversation) => turnRecords([conversation], salt));
  for (let turn = 0; speaking.length > 0; turn++) {
    for (const turns of [...speaking]) {
      const next = turns.next();
      if (next.done) speaking.splice(speaking.indexOf(turns), 1);
      else yield { key: next.value.conversationId, value: next.value.value, turn };
    }
  }
}

export function* take<T>(items: Iterator<T>, count: number): Generator<T> {
  for (let index = 0; index < count; index++) {
    const next = items.next();
    if (next.done) return;
    yield next.value;
  }
}

/** The partition that Kafka's own clients choose for a key. */
function partitioner(): (key: string) => number {
  const choose = Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: PARTITIONS }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 1,
    replicas: [1],
    isr: [1],
  }));
  return (key) => choose({ topic: '', partitionMetadata, message: { key, value: null } });
}

/** Sends them in order, as fast as the broker takes them. */
export async function produce(brokers: string[], topic: string, messages: Iterable<TurnMessage>): Promise<void> {
  // A request that is sent again is not there twice: offsets are places in the rows of the bare loop.
  await withProducer({ kafkaBrokers: brokers }, async (producer) => {
    let request: TurnMessage[] = [];
    const send = async () => {
      await producer.send({ topic, acks: -1, messages: request });
      request = [];
    };
    for (const message of messages) if (request.push(message) === REQUEST_RECORDS) await send();
    if (request.length > 0) await send();
  });
}
