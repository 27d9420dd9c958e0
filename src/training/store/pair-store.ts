import type { DataSource, EntityManager } from 'typeorm';
import type { PairRow, PairScores, PairSplit } from './pair-row.js';

export interface PairSet {
  runId: string;
  iteration: number;
  split: PairSplit;
}

const literal = (ids: readonly number[]) => `{${ids.join(',')}}`;

/** Writes pairs that are not there yet; none of an anchor that was erased meanwhile. */
export async function insertPairs(manager: EntityManager, set: PairSet, rows: readonly PairRow[]): Promise<void> {
  await manager.query(
    `INSERT INTO pairs (run_id, iteration, split, position, anchor_id, prompt_ids, chosen_ids, rejected_ids, chosen, rejected, sampling, scores)
     SELECT $1, $2, $3, position, anchor_id, prompt::int[], chosen_tokens::int[], rejected_tokens::int[], chosen, rejected,
       r.sampling::jsonb, r.scores::jsonb
     FROM unnest($4::int[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
       AS r (position, anchor_id, prompt, chosen_tokens, rejected_tokens, chosen, rejected, sampling, scores)
     JOIN anchors a ON a.id = r.anchor_id AND a.state <> 'erased'
     FOR SHARE OF a
     ON CONFLICT (run_id, iteration, split, anchor_id) DO NOTHING`,
    [
      set.runId,
      set.iteration,
      set.split,
      rows.map(({ position }) => position),
      rows.map(({ anchorId }) => anchorId),
      rows.map(({ promptIds }) => literal(promptIds)),
      rows.map(({ chosenIds }) => literal(chosenIds)),
      rows.map(({ rejectedIds }) => literal(rejectedIds)),
      rows.map(({ chosen }) => storable(chosen)),
      rows.map(({ rejected }) => storable(rejected)),
      rows.map(({ sampling }) => (sampling === null ? null : JSON.stringify(sampling))),
      rows.map(({ scores }) => JSON.stringify(scores)),
    ],
  );
}

/** PostgreSQL's text holds no NUL, which a byte-level vocabulary can produce. */
const storable = (text: string) => text.replaceAll('\u0000', '\uFFFD');

/** In the order of their positions. */
export async function readPairs(source: DataSource | EntityManager, set: PairSet): Promise<PairRow[]> {
  return source.query<PairRow[]>(
    `SELECT anchor_id AS "anchorId", position, prompt_ids AS "promptIds", chosen_ids AS "chosenIds",
       rejected_ids AS "rejectedIds", chosen, rejected, sampling, coalesce(scores, '{}') AS scores
     FROM pairs WHERE run_id = $1 AND iteration = $2 AND split = $3 ORDER BY position`,
    [set.runId, set.iteration, set.split],
  );
}

/** Replaces the scores of the pairs given. */
export async function saveScores(
  manager: EntityManager,
  set: PairSet,
  rows: readonly { anchorId: string; scores: PairScores }[],
): Promise<void> {
  await manager.query(
    `UPDATE pairs SET scores = r.scores::jsonb FROM unnest($4::uuid[], $5::text[]) AS r (anchor_id, scores)
     WHERE run_id = $1 AND iteration = $2 AND split = $3 AND pairs.anchor_id = r.anchor_id`,
    [
      set.runId,
      set.iteration,
      set.split,
      rows.map(({ anchorId }) => anchorId),
      rows.map(({ scores }) => JSON.stringify(scores)),
    ],
  );
}
