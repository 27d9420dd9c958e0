import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { EntityManager } from 'typeorm';
import type { RedactionCounts } from '../privacy/redaction-settings.js';
import { LAST_TIME_MS } from './formats/format.js';
import type { RejectionReason } from './rejection.js';

/** What is kept of a record's value, and of its headers together. */
export const KEPT_BYTES = 64 * 1024;

/** Names the conversation of a letter that names none itself, so that it is the same one when the record is read again. */
export const CONVERSATION_HEADER = 'driftloop-conversation-id';

/** A record, or one turn of it, that was not taken. */
export interface DeadLetter {
  message: KafkaMessage;
  /** Which turn of the record; 0 where it is the record as a whole. */
  item: number;
  reason: RejectionReason;
  /** What was wrong and where, without the user's text. */
  detail: string;
  /** Of the record's whole value. */
  sha256: string;
  /** Length of the whole value, redacted as far as it is kept whole. */
  bytes: number;
  /** Whether something was withheld because it is no text. */
  cut?: boolean;
  redactions?: RedactionCounts;
}

export function makeDeadLetter(message: KafkaMessage, reason: RejectionReason, detail: string, item = 0): DeadLetter {
  const value = message.value ?? Buffer.alloc(0);
  return { message, item, reason, detail, sha256: hash('sha256', value), bytes: value.length };
}

/** The record's own headers, as many as fit into `KEPT_BYTES`. */
export function keptHeaders({ headers }: KafkaMessage): Record<string, Buffer[]> {
  let bytes = 0;
  const kept: Record<string, Buffer[]> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    const values = buffers(value);
    bytes += values.reduce((sum, item) => sum + item.length, Buffer.byteLength(name));
    if (bytes <= KEPT_BYTES) kept[name] = values;
  }
  return kept;
}

/** Whether key or headers are more than what is kept of them. */
function isCut(message: KafkaMessage): boolean {
  const names = Object.keys(message.headers ?? {});
  return (message.key?.length ?? 0) > KEPT_BYTES || Object.keys(keptHeaders(message)).length < names.length;
}

export function buffers(value: IHeaders[string]): Buffer[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map((item) => (typeof item === 'string' ? Buffer.from(item) : item));
}

/** Header values as JSON: text where they are text, else base64. */
function headersAsJson(message: KafkaMessage): string {
  const readable = ([name, values]: [string, Buffer[]]) =>
    [name.replaceAll('\0', ''), values.map(headerAsJson)] as const;
  return JSON.stringify(Object.fromEntries(Object.entries(keptHeaders(message)).map(readable)));
}

function headerAsJson(value: Buffer): string | { base64: string } {
  return isUtf8(value) && !value.includes(0) ? value.toString('utf8') : { base64: value.toString('base64') };
}

/** Of one statement: each has up to 64 KiB twice, and a statement's parameter is one text. */
const LETTERS = 100;

type StoredLetter = DeadLetter & { ids: string[] };

export async function insertDeadLetters(
  manager: EntityManager,
  source: { topic: string; partition: number },
  letters: StoredLetter[],
): Promise<void> {
  for (let at = 0; at < letters.length; at += LETTERS)
    await insertSome(manager, source, letters.slice(at, at + LETTERS));
}

async function insertSome(
  manager: EntityManager,
  { topic, partition }: { topic: string; partition: number },
  letters: StoredLetter[],
): Promise<void> {
  await manager.query(
    `INSERT INTO dead_letters (topic, partition, record_offset, item, reason, detail, sha256, record_key, headers,
       payload, payload_bytes, cut, record_time, ids)
     SELECT $1, $2, record_offset, item, reason, detail, sha256, record_key, headers, payload, payload_bytes, cut,
       record_time, ARRAY(SELECT jsonb_array_elements_text(ids))
     FROM unnest($3::bigint[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::jsonb[], $10::bytea[],
       $11::integer[], $12::boolean[], $13::timestamptz[], $14::jsonb[]) AS letter (record_offset, item, reason, detail,
       sha256, record_key, headers, payload, payload_bytes, cut, record_time, ids)
     ON CONFLICT DO NOTHING`,
    [
      topic,
      partition,
      letters.map(({ message }) => message.offset),
      letters.map(({ item }) => item),
      letters.map(({ reason }) => reason),
      letters.map(({ detail }) => detail),
      letters.map(({ sha256 }) => sha256),
      letters.map(({ message }) => message.key?.subarray(0, KEPT_BYTES) ?? null),
      letters.map(({ message }) => headersAsJson(message)),
      letters.map(({ message }) => message.value?.subarray(0, KEPT_BYTES) ?? Buffer.alloc(0)),
      letters.map(({ bytes }) => bytes),
      letters.map(({ message, cut }) => cut === true || isCut(message)),
      letters.map(({ message }) => timeOf(message)),
      letters.map(({ ids }) => JSON.stringify(ids)),
    ],
  );
}

/** The record's time; null where it is none that PostgreSQL and RFC 3339 can say. */
function timeOf({ timestamp }: KafkaMessage): Date | null {
  const time = Number(timestamp);
  return time >= 0 && time <= LAST_TIME_MS ? new Date(time) : null;
}
