import type { Message } from 'kafkajs';
import { type TurnRecord, turnRecords } from '../../src/chat-log/replay.js';
import { type CorpusConversation, readShareGptCorpus } from '../../src/chat-log/sharegpt-corpus.js';
import { seededRandom } from '../../src/model/random.js';
import { asRecord, turnEvent } from '../factories/turns.js';

/** Conversations that speak at the same time. */
const BESIDE = 100;

/**
 * At least `count` real turns as records, the same each time: whole conversations of the corpus, again under other ids
 * when they are used up, of which `BESIDE` go on at the same time.
 */
export async function realTurns(chatLogs: string, count: number): Promise<Message[]> {
  const corpus = await readShareGptCorpus(chatLogs);
  const records: Message[] = [];
  for (let round = 0; records.length < count; round++) {
    for (let at = 0; at < corpus.length && records.length < count; at += BESIDE) {
      records.push(...interleaved(corpus.slice(at, at + BESIDE), `r${round}`));
    }
  }
  return records.slice(0, count);
}

function interleaved(conversations: CorpusConversation[], salt: string): Message[] {
  const speaking = conversations.map((conversation) => turnRecords([conversation], salt));
  const records: Message[] = [];
  while (speaking.length > 0) {
    for (const [index, turns] of [...speaking.entries()].reverse()) {
      const next = turns.next();
      if (next.done) speaking.splice(index, 1);
      else records.push(message(next.value));
    }
  }
  return records;
}

const message = ({ conversationId, value }: TurnRecord): Message => ({
  key: conversationId,
  value: Buffer.from(value),
});

/** Records that cannot be taken, and a turn that is rewritten. Their texts tell one burst from another. */
export function poison(seed: number): Message[] {
  const event = (given: object) => ({ ...turnEvent({ conversationId: `poison-${seed}` }), ...given });
  const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  return [
    { key: 'p', value: `no json ${seed}` },
    { key: 'p', value: Buffer.from([0xff, 0xfe, seed & 0xff]) },
    { key: `null-${seed}`, value: null },
    { key: 'p', value: nested },
    { key: 'p', value: JSON.stringify({ messages: [], seed }) },
    { key: 'p', value: JSON.stringify({ seed }), headers: { 'content-type': 'application/vnd.unknown+json' } },
    asRecord(event({ schema: 'driftloop.turn.v9' }) as never),
    asRecord(event({ schema: { toString: seed } }) as never),
    asRecord(event({ role: 'nobody' }) as never),
    asRecord(event({ content: 'x'.repeat(3_000_000) }) as never),
    // PostgreSQL has no year 0.
    asRecord(event({ conversationId: `year-${seed}`, occurredAt: '0000-01-01T00:00:00Z' }) as never),
    asRecord(event({ content: `first ${seed}` }) as never),
    asRecord(event({ content: `second ${seed}` }) as never),
    asRecord(event({ conversationId: `nul-${seed}`, content: 'a\0b' }) as never),
  ];
}

const HOUR_MS = 3_600_000;

/** The same records with times between 1970 and a while ahead, as the broker takes them. */
export function atWrongTimes(records: Message[], seed: number, now: number): Message[] {
  const random = seededRandom(seed);
  const time = () => (random() < 0.5 ? 1 + Math.floor(random() * now) : now + Math.floor(random() * 0.5 * HOUR_MS));
  return records.map((record) => ({ ...record, timestamp: String(time()) }));
}
