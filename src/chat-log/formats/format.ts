import { hash } from 'node:crypto';
import type { z } from 'zod';
import { RecordRejection } from '../rejection.js';
import type { Turn, TurnFeedback } from '../turn.js';

/** Where a record stands in Kafka, and what Kafka knows of it. */
export interface RecordOrigin {
  topic: string;
  partition: number;
  offset: string;
  key: string | null;
  /** RFC 3339: the record's own time, for forms whose turns have none. */
  timestamp: string;
}

export interface RecordContents {
  turns: Turn[];
  feedback: TurnFeedback[];
}

/** One form that records come in. Either name selects it: the header `content-type` or the CloudEvents `type`. */
export interface Format {
  name: string;
  contentType: string;
  /** @throws RecordRejection */
  read(value: unknown, origin: RecordOrigin): RecordContents;
}

/** @throws RecordRejection `invalid`, with the path of what was wrong */
export function parseAs<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'value'}: ${issue.message}`);
  throw new RecordRejection('invalid', problems.join('; '));
}

/**
 * The conversation of a record: the form's own id, else derived from who sent it; a record that says neither is a
 * conversation of its own. The same record read again gives the same id.
 */
export function conversationIdOf(
  own: string | null | undefined,
  sender: { tenant?: string | null; userId?: string | null },
  origin: RecordOrigin,
): string {
  if (own) return own;
  const { tenant = null, userId = null } = sender;
  if (tenant || userId || origin.key) return digest(['sender', tenant, userId, origin.key]);
  return digest(['record', origin.topic, origin.partition, origin.offset, origin.timestamp]);
}

const digest = (facts: unknown[]) => hash('sha256', JSON.stringify(facts));
