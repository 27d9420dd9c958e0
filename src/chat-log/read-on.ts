import { createHash } from 'node:crypto';
import type { KafkaMessage } from 'kafkajs';
import type { Pseudonyms } from '../privacy/pseudonyms.js';
import type { LastRecord, Position } from './consumer-offsets.js';

/** What one fetch brought of a partition. */
export interface Fetched {
  /** The offset that was asked for. */
  from: bigint;
  messages: KafkaMessage[];
  /** The offset after the last record, control records included. */
  nextOffset: bigint;
}

export type Reading =
  /** It goes on where the position ends; `messages` are the new ones, if any. */
  | { outcome: 'follows'; messages: KafkaMessage[]; nextOffset: bigint }
  /** It does not hold the last record that was read, so it may be another topic's: fetch again from that record. */
  | { outcome: 'unproved' }
  /** It is not what the position asks for. */
  | { outcome: 'astray' }
  /** The topic is not the one that was read, or the record was compacted away. */
  | { outcome: 'foreign'; reason: 'other-record' | 'record-gone' };

/**
 * Whether fetched records follow those that are stored. A topic that was deleted and made again under a running consumer
 * answers at any offset it has; only that the same answer begins with the last record read shows that it is the same.
 */
export function readOn({ nextOffset, last }: Position, fetched: Fetched, pseudonyms: Pseudonyms): Reading {
  if (!last) return fetched.from < nextOffset ? { outcome: 'astray' } : { ...fetched, outcome: 'follows' };
  if (fetched.from < last.offset) return { outcome: 'astray' };
  if (fetched.from > last.offset) return { outcome: 'unproved' };
  const [first, ...messages] = fetched.messages;
  if (first?.offset !== last.offset.toString()) return { outcome: 'foreign', reason: 'record-gone' };
  if (!isRecord(first, last.sha256, pseudonyms)) return { outcome: 'foreign', reason: 'other-record' };
  return { outcome: 'follows', messages, nextOffset: fetched.nextOffset };
}

/** Where reading goes on after these records of one partition. */
export function positionAfter(
  position: Position,
  messages: KafkaMessage[],
  nextOffset: bigint,
  pseudonyms: Pseudonyms,
): Position {
  const message = messages.at(-1);
  const last: LastRecord | null = message
    ? { offset: BigInt(message.offset), sha256: fingerprint(message, pseudonyms) }
    : position.last;
  return { nextOffset, last };
}

/** Begins a keyed fingerprint; an earlier release stored plain ones, which still count. */
const KEYED = 'k_';

/**
 * Tells a record from another one that has its offset in a topic of the same name. Keyed: of a record whose text is nearly
 * known, the rest could be guessed from a plain hash.
 */
export function fingerprint(message: KafkaMessage, pseudonyms: Pseudonyms): string {
  return `${KEYED}${pseudonyms.hash('record-at-offset', recordSha256(message))}`;
}

function isRecord(message: KafkaMessage, stored: string, pseudonyms: Pseudonyms): boolean {
  return stored === (stored.startsWith(KEYED) ? fingerprint(message, pseudonyms) : recordSha256(message));
}

function recordSha256({ timestamp, key, value }: KafkaMessage): string {
  const digest = createHash('sha256').update(JSON.stringify([timestamp, key?.length ?? null, value?.length ?? null]));
  for (const bytes of [key, value]) if (bytes) digest.update(bytes);
  return digest.digest('hex');
}
