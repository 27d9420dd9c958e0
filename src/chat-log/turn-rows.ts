import type { EntityManager } from 'typeorm';
import { textArray } from '../database/text-array.js';
import type { Role, Turn, TurnFeedback } from './turn.js';

/** A stored turn without its text. */
export interface TurnHead {
  conversationId: string;
  turn: number;
  role: Role;
  sha256: string;
}

/** The turns of a conversation between which fresh ones lie. */
export interface TurnSpan {
  conversationId: string;
  first: number;
  last: number;
}

/** One span for each conversation. */
export function spansOf(turns: Pick<Turn, 'conversationId' | 'turn'>[]): TurnSpan[] {
  const spans = new Map<string, TurnSpan>();
  for (const { conversationId, turn } of turns) {
    const span = spans.get(conversationId);
    if (!span) spans.set(conversationId, { conversationId, first: turn, last: turn });
    else Object.assign(span, { first: Math.min(span.first, turn), last: Math.max(span.last, turn) });
  }
  return [...spans.values()];
}

/**
 * The stored turns that can be part of an exchange with a turn of the span: those in it, those before it back to the
 * user turn nearest before a reply, and those after it up to the next user turn.
 */
export async function loadHeads(manager: EntityManager, spans: TurnSpan[]): Promise<TurnHead[]> {
  return manager.query<TurnHead[]>(
    `SELECT head.conversation_id AS "conversationId", head.turn, head.role, head.sha256
     FROM unnest($1::text[], $2::integer[], $3::integer[]) AS span (conversation_id, first, last)
     CROSS JOIN LATERAL (
       SELECT conversation_id, turn, role, sha256 FROM turns
       WHERE conversation_id = span.conversation_id
         AND turn >= coalesce((
           SELECT turn FROM turns WHERE conversation_id = span.conversation_id AND turn < span.first - 1 AND role = 'user'
           ORDER BY turn DESC LIMIT 1), 0)
         AND turn <= coalesce((
           SELECT turn FROM turns WHERE conversation_id = span.conversation_id AND turn > span.last AND role = 'user'
           ORDER BY turn LIMIT 1), span.last)
     ) AS head`,
    columns(spans, ['conversationId', 'first', 'last']),
  );
}

export interface TurnText {
  conversationId: string;
  turn: number;
  content: string;
}

export async function loadTexts(manager: EntityManager, turns: Omit<TurnText, 'content'>[]): Promise<TurnText[]> {
  return manager.query<TurnText[]>(
    `SELECT conversation_id AS "conversationId", turn, content
     FROM unnest($1::text[], $2::integer[]) AS wanted (conversation_id, turn)
     JOIN turns USING (conversation_id, turn)`,
    columns(turns, ['conversationId', 'turn']),
  );
}

export async function insertTurns(manager: EntityManager, turns: Turn[]): Promise<void> {
  await manager.query(
    `INSERT INTO turns (conversation_id, turn, role, content, parts, occurred_at, tenant, user_id, policy_version,
       model, metadata, sha256)
     SELECT * FROM unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::jsonb[], $6::timestamptz[], $7::text[],
       $8::text[], $9::text[], $10::text[], $11::jsonb[], $12::text[])
     ON CONFLICT DO NOTHING`,
    [
      textColumn(turns, 'conversationId'),
      turns.map(({ turn }) => turn),
      textColumn(turns, 'role'),
      textColumn(turns, 'content'),
      turns.map(({ parts }) => json(parts)),
      turns.map(({ occurredAt }) => occurredAt),
      ...(['tenant', 'userId', 'policyVersion', 'model'] as const).map((key) => textColumn(turns, key)),
      turns.map(({ metadata }) => json(metadata)),
      textColumn(turns, 'sha256'),
    ],
  );
}

/** Feedback that is stored already stays as it is. */
export async function insertFeedback(manager: EntityManager, feedback: TurnFeedback[]): Promise<void> {
  await manager.query(
    `INSERT INTO turn_feedback (conversation_id, turn, kind, value, occurred_at)
     SELECT * FROM unnest($1::text[], $2::integer[], $3::text[], $4::jsonb[], $5::timestamptz[])
     ON CONFLICT DO NOTHING`,
    [
      ...columns(feedback, ['conversationId', 'turn', 'kind']),
      feedback.map(({ value }) => json(value)),
      ...columns(feedback, ['occurredAt']),
    ],
  );
}

const json = (value: unknown) => (value === null ? null : JSON.stringify(value));

function textColumn<K extends string>(rows: Record<K, string | null>[], key: K): Buffer {
  return textArray(rows.map((row) => row[key]));
}

function columns<T, K extends keyof T>(rows: T[], keys: K[]): T[K][][] {
  return keys.map((key) => rows.map((row) => row[key]));
}
