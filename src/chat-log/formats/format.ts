import { hash } from 'node:crypto';
import type { z } from 'zod';
import type { Erasure } from '../../erasure/erase-subject.js';
import { DERIVED_ID } from '../../privacy/pseudonyms.js';
import { RecordRejection } from '../rejection.js';
import type { Turn, TurnFeedback } from '../turn.js';

/** End of the year 9999: later times have no RFC 3339 form. */
export const LAST_TIME_MS = 253_402_300_799_999;

/** Where a record stands in Kafka, and what Kafka and the record's envelope know of it. */
export interface RecordOrigin {
  topic: string;
  partition: number;
  offset: string;
  key: string | null;
  /** RFC 3339: the event's own time, else the record's, for forms whose turns have none. */
  timestamp: string;
  /** Subject of the CloudEvent: the conversation, for forms that name none themselves. */
  subject?: string;
}

export interface RecordContents {
  turns: Turn[];
  feedback: TurnFeedback[];
  /** What the record erases. */
  erasures?: Erasure[];
}

/** One form that records come in. Either name selects it: the header `content-type` or the CloudEvents `type`. */
export interface Format {
  name: string;
  contentType: string;
  /** One sentence for the AsyncAPI document. */
  summary: string;
  /** Of the record's JSON, for the JSON Schema of it. */
  schema: z.ZodType;
  /** @throws RecordRejection */
  read(value: unknown, origin: RecordOrigin): RecordContents;
}

/** @throws RecordRejection `invalid`, with the path of what was wrong */
export function parseAs<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues
    .map(nearestIssue)
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'value'}: ${issue.message}`);
  throw new RecordRejection('invalid', problems.join('; '));
}

interface Issue {
  path: PropertyKey[];
  message: string;
}

/** Of a union the issue of the alternative that came furthest: "Invalid input" alone helps nobody. */
function nearestIssue(issue: z.core.$ZodIssue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.flatMap(([first]) => (first ? nearestIssue(first) : []));
  const furthest = inner.toSorted((a, b) => b.path.length - a.path.length)[0];
  if (!furthest || furthest.path.length === 0) return issue;
  return { path: [...issue.path, ...furthest.path], message: furthest.message };
}

/**
 * The conversation of a record: the form's own id, else the subject of the event, else derived from who sent it; a
 * record that says none of these is a conversation of its own. The same record read again gives the same id.
 * @param item which conversation of the record, where it holds several
 */
export function conversationIdOf(
  own: string | null | undefined,
  sender: { tenant?: string | null; userId?: string | null },
  origin: RecordOrigin,
  item = 0,
): string {
  const named = own ?? origin.subject;
  if (named) return named;
  const { tenant = null, userId = null } = sender;
  if (tenant || userId || origin.key) return senderConversationId(tenant, userId, origin.key);
  const place = ['record', origin.topic, origin.partition, origin.offset, origin.timestamp];
  return digest(item === 0 ? place : [...place, item]);
}

/** The conversation of a record that says only who sent it. */
export const senderConversationId = (tenant: string | null, userId: string | null, key: string | null) =>
  digest(['sender', tenant, userId, key]);

/** Of one who sees only hashes: whoever stores it replaces it by a keyed one, as user ids are easily guessed. */
const digest = (facts: unknown[]) => `${DERIVED_ID}${hash('sha256', JSON.stringify(facts))}`;
