import type { Message, Producer } from 'kafkajs';
import type { DataSource, EntityManager } from 'typeorm';
import {
  type LetterFilter,
  type LetterSummary,
  letterParameters,
  listLetters,
  MATCHES,
  type StoredBytes,
  WHOLE,
} from './dead-letter-read.js';
import { inRequests } from './requests.js';

/** Held by whoever replays: two of them would produce the same records. */
const REPLAY_LOCK = 7_431_002;

/** Rows of one transaction, each of up to 64 KiB. */
const BATCH = 100;

/** Names the record that this one is again, as `TOPIC/PARTITION/OFFSET`. */
const REPLAY_HEADER = 'driftloop-replay-of';

export interface ReplayOutcome {
  /** Records that Kafka has again, in the order they were read first. */
  replayed: string[];
  /** Letters of which something was left out or withheld, so that they cannot be produced again. */
  notWhole: LetterSummary[];
}

/**
 * Produces the records of waiting dead letters again, to their topic, with the key, headers and time they had, and marks
 * the letters. A record is produced once, however many of its turns were put aside. One that is not taken again becomes a
 * letter anew; such letters are left for the next time. After a crash between Kafka and PostgreSQL a record is produced
 * twice, which doubles no turn.
 * @throws what the producer throws; the requests to the broker before that one are replayed and marked
 */
export async function replayLetters(
  dataSource: DataSource,
  producer: Pick<Producer, 'send'>,
  filter: Omit<LetterFilter, 'state' | 'limit'>,
): Promise<ReplayOutcome> {
  const waiting = { ...filter, state: 'waiting' } as const;
  const notWhole = (await listLetters(dataSource, waiting)).filter(({ whole }) => !whole);
  const [{ now }] = await dataSource.query<[{ now: string }]>('SELECT clock_timestamp()::text AS now');
  const parameters = [...letterParameters(waiting), now];
  const replayed: string[] = [];
  for (;;) {
    const step = await dataSource.transaction((manager) => replaySome(manager, producer, parameters));
    if (step.outcome === 'failed') throw step.error;
    if (step.sent.length === 0) return { replayed, notWhole };
    replayed.push(...step.sent.map(placeOf));
  }
}

interface RecordRow {
  topic: string;
  partition: number;
  record_offset: string;
  sha256: string;
  record_key: Buffer | null;
  headers: Record<string, StoredBytes[]>;
  payload: Buffer;
  record_time: Date | null;
}

/** `sent` is what the broker has, also where a later request failed. */
type Step = { outcome: 'sent'; sent: RecordRow[] } | { outcome: 'failed'; sent: RecordRow[]; error: unknown };

/** A failure is returned and not thrown: what was sent before it is to be marked, and that committed. */
async function replaySome(
  manager: EntityManager,
  producer: Pick<Producer, 'send'>,
  parameters: unknown[],
): Promise<Step> {
  await manager.query('SELECT pg_advisory_xact_lock($1)', [REPLAY_LOCK]);
  const rows = await manager.query<RecordRow[]>(
    `SELECT DISTINCT ON (topic, partition, record_offset, sha256)
       topic, partition, record_offset, sha256, record_key, headers, payload, record_time
     FROM dead_letters WHERE ${MATCHES} AND ${WHOLE} AND received_at <= $6::timestamptz
     ORDER BY topic, partition, record_offset, sha256 LIMIT ${BATCH}`,
    parameters,
  );
  const step = await sendAgain(producer, rows);
  await markReplayed(manager, step.sent);
  return step;
}

async function sendAgain(producer: Pick<Producer, 'send'>, rows: RecordRow[]): Promise<Step> {
  const sent: RecordRow[] = [];
  try {
    for (const topic of new Set(rows.map((row) => row.topic))) {
      const ofTopic = rows.filter((row) => row.topic === topic);
      const rowOf = new Map(ofTopic.map((row) => [messageOf(row), row]));
      for (const messages of inRequests(rowOf.keys())) {
        await producer.send({ topic, acks: -1, messages });
        sent.push(...messages.map((message) => rowOf.get(message)!));
      }
    }
    return { outcome: 'sent', sent };
  } catch (error) {
    return { outcome: 'failed', sent, error };
  }
}

function messageOf(row: RecordRow): Message {
  const headers = Object.entries(row.headers).map(([name, values]) => [name, values.map(bytesOf)] as const);
  return {
    key: row.record_key,
    value: row.payload.length > 0 ? row.payload : null,
    timestamp: row.record_time ? String(row.record_time.getTime()) : undefined,
    headers: { ...Object.fromEntries(headers), [REPLAY_HEADER]: placeOf(row) },
  };
}

const placeOf = ({ topic, partition, record_offset }: RecordRow) => `${topic}/${partition}/${record_offset}`;

const bytesOf = (value: StoredBytes) =>
  typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.base64, 'base64');

async function markReplayed(manager: EntityManager, rows: RecordRow[]): Promise<void> {
  await manager.query(
    `UPDATE dead_letters letter SET replayed_at = now()
     FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::text[]) AS g (topic, partition, record_offset, sha256)
     WHERE letter.topic = g.topic AND letter.partition = g.partition AND letter.record_offset = g.record_offset
       AND letter.sha256 = g.sha256 AND letter.replayed_at IS NULL`,
    [
      rows.map(({ topic }) => topic),
      rows.map(({ partition }) => partition),
      rows.map(({ record_offset }) => record_offset),
      rows.map(({ sha256 }) => sha256),
    ],
  );
}
