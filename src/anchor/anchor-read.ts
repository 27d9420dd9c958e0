import type { DataSource } from 'typeorm';
import { DriftError } from '../drift-error.js';
import type { AnchorCase, AnchorOrigin, AnchorState, AnchorSummary, SeedPairCase } from './anchor.js';

export interface AnchorFilter {
  ids?: string[];
  state?: AnchorState;
  origin?: AnchorOrigin;
  rubric?: string;
  /** Created at this time or later. */
  since?: Date;
  /** Id of the anchor that the last page ended with. */
  after?: string;
  limit?: number;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const isAnchorId = (text: string): boolean => UUID.test(text);

const SUMMARY = `
  a.id, a.state, a.state_reason AS "stateReason", a.disputed_by AS "disputedBy",
  a.origin, a.source, a.conversation_id AS "conversationId", a.turn, a.rubric, a.confidence,
  a.classifier_version AS "classifierVersion", a.policy_version AS "policyVersion", a.model, a.tenant,
  a.created_at AS "createdAt", feedback.content AS feedback`;

/** The texts of `a`: those turns before the rejected one between which no turn is missing, counted from the last. */
const TEXTS = `
  LEFT JOIN turns feedback ON feedback.conversation_id = a.conversation_id AND feedback.turn = a.turn
  JOIN turns rejected ON rejected.conversation_id = a.conversation_id AND rejected.turn = a.turn - 1
  CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(json_build_object('role', role, 'content', content) ORDER BY turn), '[]') AS messages
    FROM (
      SELECT turn, role, content, turn + row_number() OVER (ORDER BY turn DESC) AS reach
      FROM turns WHERE conversation_id = a.conversation_id AND turn < a.turn - 1
    ) earlier WHERE reach = a.turn - 1
  ) prompt`;

/** Anchors without their conversation, newest first. */
export async function listAnchors(dataSource: DataSource, filter: AnchorFilter = {}): Promise<AnchorSummary[]> {
  const { sql, parameters } = pick(filter);
  return dataSource.query<AnchorSummary[]>(
    `${sql} SELECT ${SUMMARY} FROM picked a
     LEFT JOIN turns feedback ON feedback.conversation_id = a.conversation_id AND feedback.turn = a.turn
     ORDER BY a.created_at DESC, a.id DESC`,
    parameters,
  );
}

/** Anchors with prompt, rejected and feedback, newest first, in one query. */
export async function readAnchorCases(dataSource: DataSource, filter: AnchorFilter = {}): Promise<AnchorCase[]> {
  const { sql, parameters } = pick(filter);
  return dataSource.query<AnchorCase[]>(
    `${sql} SELECT ${SUMMARY}, rejected.content AS rejected, prompt.messages AS prompt
     FROM picked a ${TEXTS} ORDER BY a.created_at DESC, a.id DESC`,
    parameters,
  );
}

/** @throws DriftError `not-found` */
export async function readAnchorCase(dataSource: DataSource, id: string): Promise<AnchorCase> {
  const [anchor] = isAnchorId(id) ? await readAnchorCases(dataSource, { ids: [id] }) : [];
  if (!anchor) throw new DriftError('not-found', `There is no anchor ${id}.`);
  return anchor;
}

export async function isKnown(dataSource: DataSource, id: string): Promise<boolean> {
  return (await dataSource.query<unknown[]>('SELECT FROM anchors WHERE id = $1', [id])).length > 0;
}

/** Seed pairs of active anchors, with their texts, in the order of conversation and turn. */
export async function readSeedPairs(dataSource: DataSource): Promise<SeedPairCase[]> {
  return dataSource.query<SeedPairCase[]>(
    `SELECT ${SUMMARY}, rejected.content AS rejected, prompt.messages AS prompt,
       feedback.user_id AS "userId", s.chosen_turn AS "chosenTurn", chosen.content AS chosen, s.similarity
     FROM seed_pairs s
     JOIN anchors a USING (conversation_id, turn) ${TEXTS}
     JOIN turns chosen ON chosen.conversation_id = s.conversation_id AND chosen.turn = s.chosen_turn
     WHERE a.state = 'active' ORDER BY a.conversation_id, a.turn`,
  );
}

function pick(filter: AnchorFilter): { sql: string; parameters: unknown[] } {
  const sql = `WITH picked AS (
    SELECT * FROM anchors
    WHERE ($1::uuid[] IS NULL OR id = ANY ($1)) AND ($2::text IS NULL OR state = $2)
      AND ($3::text IS NULL OR rubric = $3) AND ($4::timestamptz IS NULL OR created_at >= $4)
      AND ($7::text IS NULL OR origin = $7)
      AND ($5::uuid IS NULL OR (created_at, id) < (SELECT created_at, id FROM anchors WHERE id = $5))
    ORDER BY created_at DESC, id DESC LIMIT $6)`;
  const { ids, state, rubric, since, after, limit, origin } = filter;
  const given = [ids, state, rubric, since, after, limit, origin];
  return { sql, parameters: given.map((value) => value ?? null) };
}
