import type { KafkaMessage } from 'kafkajs';
import { tombstoneOf } from '../erasure/tombstones.js';
import type { Pseudonyms } from '../privacy/pseudonyms.js';
import { LAST_TIME_MS, senderConversationId } from './formats/format.js';
import { type Named, namedBeside, namedIn } from './named-in.js';
import { wellFormed } from './well-formed.js';

/** Ids that one letter may have; a record has at most as many turns. */
export const MOST_IDS = 10_000;

export interface LetterIds {
  /** By what erased users and conversations are remembered: of all that the record names. */
  ids: string[];
  /** The earliest time that it says, else the record's. */
  saidAt: Date;
  /** False where there are more than `MOST_IDS`: then only those of key and headers. */
  all: boolean;
}

/** Of the record as it was sent, however much of it is kept. */
export function letterIds(message: KafkaMessage, pseudonyms: Pseudonyms): LetterIds {
  const beside = namedBeside(message);
  const named = namedIn(message.value);
  const ids = new Set(storedIds(beside, pseudonyms));
  const saidAt = earliest([...beside.times, ...named.times]) ?? new Date(Number(message.timestamp) || 0);
  const senders = (named.tenants.size + 1) * (named.users.size + 1);
  if (named.users.size + named.conversations.size + senders > MOST_IDS) return { ids: [...ids], saidAt, all: false };
  for (const id of storedIds(named, pseudonyms)) ids.add(id);
  for (const id of derivedIds(named, message.key, pseudonyms)) ids.add(id);
  return { ids: [...ids], saidAt, all: true };
}

function* storedIds({ users, conversations }: Named, pseudonyms: Pseudonyms): Generator<string> {
  for (const user of users) yield pseudonyms.userId(user);
  for (const conversation of conversations) yield tombstoneOf(pseudonyms, pseudonyms.conversationId(conversation));
}

/** Conversations that have their id of who sent them: whoever of those named that may be. */
function* derivedIds({ users, tenants }: Named, key: Buffer | null, pseudonyms: Pseudonyms): Generator<string> {
  const sentBy = key && wellFormed(key.toString('utf8'));
  for (const tenant of [null, ...tenants]) {
    for (const user of [null, ...users]) {
      const id = senderConversationId(tenant, user, sentBy);
      yield tombstoneOf(pseudonyms, pseudonyms.conversationId(id));
    }
  }
}

function earliest(times: string[]): Date | undefined {
  const known = times.map(timeMs).filter((time) => time >= 0 && time <= LAST_TIME_MS);
  return known.length > 0 ? new Date(known.reduce((a, b) => Math.min(a, b))) : undefined;
}

/** RFC 3339, or a number: milliseconds, or OTLP's nanoseconds. */
function timeMs(written: string): number {
  if (!/^\d+$/.test(written)) return Date.parse(written);
  const time = Number(written);
  return time > LAST_TIME_MS ? time / 1_000_000 : time;
}
