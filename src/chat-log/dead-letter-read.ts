import { isUtf8 } from 'node:buffer';
import type { DataSource } from 'typeorm';
import { DriftError } from '../drift-error.js';
import type { RejectionReason } from './rejection.js';

export const LETTER_STATES = ['waiting', 'replayed'] as const;
export type LetterState = (typeof LETTER_STATES)[number];

export interface LetterFilter {
  /** Places of records, `TOPIC/PARTITION/OFFSET`. */
  records?: string[];
  reason?: RejectionReason;
  state?: LetterState;
  limit?: number;
}

/** Text where the bytes are text, else base64. */
export type StoredBytes = string | { base64: string };

export interface LetterSummary {
  /** The record's place, `TOPIC/PARTITION/OFFSET`; a topic that was made again may have had several there. */
  record: string;
  /** Which turn of the record. */
  item: number;
  reason: RejectionReason;
  detail: string;
  /** Of the record's whole value, as are the bytes. */
  sha256: string;
  bytes: number;
  /** Whether value, key and headers are kept whole, so that the record can be produced again. */
  whole: boolean;
  receivedAt: Date;
  replayedAt: Date | null;
}

export interface Letter extends LetterSummary {
  /** The record's time in Kafka; null for letters of before it was kept. */
  recordTime: Date | null;
  key: StoredBytes | null;
  headers: Record<string, StoredBytes[]>;
  /** The first 64 KiB of the value. */
  payload: StoredBytes;
}

/** SQL: whether nothing of the record was left out. */
export const WHOLE = '(NOT cut AND octet_length(payload) = payload_bytes)';

const SUMMARY = `topic || '/' || partition || '/' || record_offset AS record, item, reason, detail, sha256,
  payload_bytes AS bytes, ${WHOLE} AS whole, received_at AS "receivedAt", replayed_at AS "replayedAt"`;

/** SQL over `letterParameters`. */
export const MATCHES = `($1::text[] IS NULL OR (topic, partition, record_offset) IN
    (SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[])))
  AND ($4::text IS NULL OR reason = $4)
  AND ($5::text IS NULL OR $5 = CASE WHEN replayed_at IS NULL THEN 'waiting' ELSE 'replayed' END)`;

/** @throws DriftError `usage` where a place is none */
export function letterParameters({ records, reason, state }: LetterFilter): unknown[] {
  const places = records?.map(placeOf);
  return [
    places?.map(({ topic }) => topic) ?? null,
    places?.map(({ partition }) => partition) ?? null,
    places?.map(({ offset }) => offset) ?? null,
    reason ?? null,
    state ?? null,
  ];
}

const PLACE = /^([\w.-]+)\/(\d{1,9})\/(\d{1,18})$/;

function placeOf(record: string): { topic: string; partition: string; offset: string } {
  const [, topic, partition, offset] = PLACE.exec(record) ?? [];
  if (topic && partition && offset) return { topic, partition, offset };
  throw new DriftError('usage', `${record} is no record: expected TOPIC/PARTITION/OFFSET, as \`dlq list\` shows it.`);
}

/** Dead letters without what was sent, the latest first. */
export async function listLetters(dataSource: DataSource, filter: LetterFilter = {}): Promise<LetterSummary[]> {
  return dataSource.query<LetterSummary[]>(
    `SELECT ${SUMMARY} FROM dead_letters WHERE ${MATCHES}
     ORDER BY received_at DESC, topic, partition, record_offset, item LIMIT $6`,
    [...letterParameters(filter), filter.limit ?? null],
  );
}

/** How many there are of each reason. */
export async function countLetters(
  dataSource: DataSource,
  filter: LetterFilter = {},
): Promise<{ reason: RejectionReason; count: number }[]> {
  return dataSource.query(
    `SELECT reason, count(*)::integer AS count FROM dead_letters WHERE ${MATCHES} GROUP BY reason ORDER BY count DESC, reason`,
    letterParameters(filter),
  );
}

interface LetterRow extends LetterSummary, Pick<Letter, 'recordTime' | 'headers'> {
  key: Buffer | null;
  payload: Buffer;
}

/**
 * The dead letters of one record: several where several of its turns were put aside.
 * @throws DriftError `not-found`; `usage` where the place is none
 */
export async function readLetters(dataSource: DataSource, record: string): Promise<Letter[]> {
  const rows = await dataSource.query<LetterRow[]>(
    `SELECT ${SUMMARY}, record_time AS "recordTime", record_key AS key, headers, payload
     FROM dead_letters WHERE ${MATCHES} ORDER BY received_at, item`,
    letterParameters({ records: [record] }),
  );
  if (rows.length === 0) throw new DriftError('not-found', `There is no dead letter of ${record}.`);
  return rows.map((row) => ({ ...row, key: row.key && readable(row.key), payload: readable(row.payload) }));
}

/** UTF-8 that was cut in the middle of a character is still text. */
function readable(bytes: Buffer): StoredBytes {
  for (const cut of [0, 1, 2, 3]) {
    const kept = bytes.subarray(0, bytes.length - cut);
    if (isUtf8(kept)) return kept.toString('utf8');
  }
  return { base64: bytes.toString('base64') };
}
