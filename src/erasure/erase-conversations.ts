import type { EntityManager } from 'typeorm';
import { lockConversations } from '../database/conversation-lock.js';
import { dropAnswers } from '../dsat/judge/answer-cache.js';
import type { Pseudonyms } from '../privacy/pseudonyms.js';
import { eraseReasons } from './erase-reasons.js';
import { tombstoneOf } from './tombstones.js';

/** What an erasure took away. */
export interface ErasedCounts {
  conversations: number;
  turns: number;
  feedback: number;
  verdicts: number;
  reviews: number;
  anchors: number;
  seedPairs: number;
  pairs: number;
  deadLetters: number;
}

/** Whoever stores holds it shared, whoever erases alone: what is on its way when an erasure begins is stored before it. */
const ERASURE_LOCK = 7_431_010;

export const holdOffErasures = (manager: EntityManager) =>
  manager.query('SELECT pg_advisory_xact_lock_shared($1)', [ERASURE_LOCK]);

export const holdForErasure = (manager: EntityManager) =>
  manager.query('SELECT pg_advisory_xact_lock($1)', [ERASURE_LOCK]);

/**
 * Takes conversations out of every table, whether or not there is anything of them, and remembers them by keyed hashes.
 * Of their anchors the ids stay, in state `erased`. Call it in a transaction that called `holdForErasure`.
 * @param traces more texts by which dead letters are found, such as a user's id
 */
export async function eraseConversations(
  manager: EntityManager,
  pseudonyms: Pseudonyms,
  ids: string[],
  erasedAt: Date,
  traces: string[] = [],
): Promise<ErasedCounts> {
  await lockConversations(manager, ids);
  const count = (sql: string, parameters: unknown[] = [ids]) => countOf(manager, sql, parameters);
  const tombstones = ids.map((id) => tombstoneOf(pseudonyms, id));
  await manager.query(
    'INSERT INTO erased_conversations (id_hash, erased_at) SELECT unnest($1::text[]), $2 ON CONFLICT DO NOTHING',
    [tombstones, erasedAt],
  );
  await rememberTraining(manager, ids);
  const pairs = await count(
    'DELETE FROM pairs WHERE anchor_id IN (SELECT id FROM anchors WHERE conversation_id = ANY ($1))',
  );
  const seedPairs = await count('DELETE FROM seed_pairs WHERE conversation_id = ANY ($1)');
  await eraseReasons(manager, ids);
  const anchors = await count(
    `UPDATE anchors SET state = 'erased', conversation_id = g.tombstone, rubric = NULL, confidence = 0, tenant = NULL,
       state_reason = NULL
     FROM unnest($1::text[], $2::text[]) AS g (id, tombstone) WHERE conversation_id = g.id`,
    [ids, tombstones],
  );
  const reviews = await count('DELETE FROM reviews WHERE conversation_id = ANY ($1)');
  const verdicts = await count('DELETE FROM verdicts WHERE conversation_id = ANY ($1)');
  // After the verdicts: whoever asks the judge holds them, so that no answer comes later.
  await dropAnswers(manager, pseudonyms, await userTurnsOf(manager, ids));
  return {
    conversations: ids.length,
    anchors,
    pairs,
    seedPairs,
    verdicts,
    reviews,
    feedback: await count('DELETE FROM turn_feedback WHERE conversation_id = ANY ($1)'),
    turns: await count('DELETE FROM turns WHERE conversation_id = ANY ($1)'),
    deadLetters: await eraseLetters(manager, [...tombstones, ...traces], [...ids, ...traces]),
  };
}

async function userTurnsOf(manager: EntityManager, ids: string[]): Promise<string[]> {
  const rows = await manager.query<{ content: string }[]>(
    `SELECT content FROM turns WHERE conversation_id = ANY ($1) AND role = 'user'`,
    [ids],
  );
  return rows.map(({ content }) => content);
}

/** Before the pairs go: which runs were trained on the anchors, and so which policy versions. */
async function rememberTraining(manager: EntityManager, ids: string[]): Promise<void> {
  const written = await countOf(
    manager,
    `INSERT INTO erased_training (run_id, anchor_id)
     SELECT used.run_id, a.id FROM anchors a JOIN (
       SELECT run_id, anchor_id FROM run_anchors WHERE decision = 'train'
       UNION SELECT run_id, anchor_id FROM pairs WHERE split IN ('train', 'warm-start')
     ) used ON used.anchor_id = a.id
     WHERE a.conversation_id = ANY ($1) ON CONFLICT DO NOTHING RETURNING run_id`,
    [ids],
  );
  if (written > 0) await manager.query(MARK_VERSIONS);
}

/** SQL: how many erased anchors the run `run_id` and the runs of the versions before it were trained on. */
export const ERASED_ANCHORS_OF = (runId: string, parent: string) => `(
  WITH RECURSIVE line AS (
    SELECT ${runId} AS run_id, ${parent} AS parent
    UNION SELECT before.run_id, before.parent FROM policy_versions before JOIN line ON before.version = line.parent
  )
  SELECT count(DISTINCT anchor_id)::integer FROM erased_training JOIN line USING (run_id))`;

const MARK_VERSIONS = `UPDATE policy_versions v SET erased_anchors = ${ERASED_ANCHORS_OF('v.run_id', 'v.parent')}`;

/** The letters of records that name what is erased, and those that show a trace of it anywhere in what is kept. */
function eraseLetters(manager: EntityManager, ids: string[], traces: string[]): Promise<number> {
  const written = traces.flatMap((trace) => [trace, JSON.stringify(trace).slice(1, -1)]);
  return countOf(
    manager,
    `DELETE FROM dead_letters WHERE ids && $2 OR EXISTS (
       SELECT FROM unnest($1::text[]) AS trace
       WHERE record_key = convert_to(trace, 'UTF8') OR position(convert_to(trace, 'UTF8') IN payload) > 0
         OR position(to_json(trace)::text IN headers::text) > 0)`,
    [[...new Set(written)], ids],
  );
}

async function countOf(manager: EntityManager, sql: string, parameters: unknown[]): Promise<number> {
  const [rows] = await manager.query<[{ count: number }]>(
    `WITH changed AS (${sql.includes('RETURNING') ? sql : `${sql} RETURNING 1`}) SELECT count(*)::integer AS count FROM changed`,
    parameters,
  );
  return rows.count;
}
