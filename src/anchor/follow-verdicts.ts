import type { EntityManager } from 'typeorm';
import { isSettledAs } from '../dsat/verdict.js';
import type { JudgedTurn } from '../dsat/verdict-rows.js';
import { recordFinal } from './record-final.js';
import { notDsatBy, retiredByVerdict, undecided } from './retired-by-verdict.js';

/** What became of anchors and seed pairs. */
export interface Followed {
  anchors: { made: number; retired: number; restored: number; disputed: number };
  seedPairs: { made: number; removed: number };
}

/**
 * Brings anchors and seed pairs in line with verdicts that took the place of others. An anchor whose turn is not dsat any
 * more is retired, and restored where a later version says dsat again; what a person decided of it stays, and is marked
 * `disputed_by`. Call it in the transaction that wrote the verdicts, which holds the locks of their conversations.
 */
export async function followVerdicts(manager: EntityManager, judged: JudgedTurn[]): Promise<Followed> {
  const dsat = judged.filter(isDsat);
  const others = judged.filter((turn) => !isDsat(turn));
  const restored = await confirm(manager, dsat);
  const { disputed, retired } = await dispute(manager, others);
  const removed = await removeSeedPairs(manager, judged);
  const made = await recordFinal(manager, judged);
  return {
    anchors: { made: made.anchors, retired, restored, disputed },
    seedPairs: { made: made.seedPairs, removed },
  };
}

/** Whether an anchor follows from the verdict. */
export const isDsat = ({ verdict }: Pick<JudgedTurn, 'verdict'>) => isSettledAs(verdict, 'dsat');
const isSat = ({ verdict }: JudgedTurn) => isSettledAs(verdict, 'sat');

/** Anchors whose turn is dsat, as it may have been before. Returns how many are restored. */
async function confirm(manager: EntityManager, judged: JudgedTurn[]): Promise<number> {
  const was = retiredByVerdict('was');
  return countOf(
    manager,
    `WITH changed AS (
       UPDATE anchors a SET rubric = g.rubric, confidence = g.confidence, classifier_version = g.version,
         disputed_by = NULL, state = CASE WHEN ${was} THEN 'active' ELSE a.state END,
         state_reason = CASE WHEN ${was} THEN NULL ELSE a.state_reason END
       FROM unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::float8[])
         AS g (conversation_id, turn, version, rubric, confidence)
       JOIN anchors was USING (conversation_id, turn)
       WHERE a.id = was.id RETURNING a.id, g.version, ${was} AS counted
     ) ${AUDITED('restore-anchor')}`,
    [
      ...keysOf(judged),
      judged.map(({ verdict }) => verdict.rubric),
      judged.map(({ verdict }) => verdict.probabilities.dsat),
    ],
  );
}

/** Marks anchors whose turn is not dsat, and retires them where no person decided of them. */
async function dispute(manager: EntityManager, judged: JudgedTurn[]): Promise<{ disputed: number; retired: number }> {
  const retired = await countOf(
    manager,
    `WITH changed AS (
       UPDATE anchors a SET disputed_by = g.version, state = 'retired', state_reason = ${notDsatBy('g.version')}
       FROM unnest($1::text[], $2::integer[], $3::text[]) AS g (conversation_id, turn, version)
       JOIN anchors was USING (conversation_id, turn)
       WHERE a.id = was.id AND ${undecided('was')} RETURNING a.id, g.version, true AS counted
     ) ${AUDITED('retire-anchor')}`,
    keysOf(judged),
  );
  return { retired, disputed: await markDisputed(manager, judged) };
}

/** Marks anchors that stay as they are although none would follow from the verdict. Returns how many are new. */
export function markDisputed(manager: EntityManager, judged: JudgedTurn[]): Promise<number> {
  return countOf(
    manager,
    `WITH changed AS (
       UPDATE anchors a SET disputed_by = g.version
       FROM unnest($1::text[], $2::integer[], $3::text[]) AS g (conversation_id, turn, version)
       WHERE a.conversation_id = g.conversation_id AND a.turn = g.turn AND a.state <> 'erased'
         AND a.disputed_by IS DISTINCT FROM g.version RETURNING 1
     ) SELECT count(*)::integer AS count FROM changed`,
    keysOf(judged),
  );
}

/** Takes away seed pairs one of whose sides does not hold any more. */
function removeSeedPairs(manager: EntityManager, judged: JudgedTurn[]): Promise<number> {
  return countOf(
    manager,
    `WITH changed AS (
       DELETE FROM seed_pairs s
       USING unnest($1::text[], $2::integer[], $3::boolean[], $4::boolean[])
         AS g (conversation_id, turn, is_dsat, is_sat)
       WHERE s.conversation_id = g.conversation_id
         AND (s.turn = g.turn AND NOT g.is_dsat OR s.sat_turn = g.turn AND NOT g.is_sat) RETURNING 1
     ) SELECT count(*)::integer AS count FROM changed`,
    [...keysOf(judged).slice(0, 2), judged.map(isDsat), judged.map(isSat)],
  );
}

/** SQL: an entry in the audit log for each that is counted. */
const AUDITED = (action: string) => `, logged AS (
    INSERT INTO audit_log (action, subject, facts)
    SELECT '${action}', id::text, jsonb_build_object('why', 'reclassified', 'classifierVersion', version)
    FROM changed WHERE counted RETURNING 1
  ) SELECT count(*)::integer AS count FROM logged`;

const keysOf = (judged: JudgedTurn[]): unknown[][] => [
  judged.map(({ conversationId }) => conversationId),
  judged.map(({ turn }) => turn),
  judged.map(({ verdict }) => verdict.classifierVersion),
];

async function countOf(manager: EntityManager, sql: string, parameters: unknown[]): Promise<number> {
  const [row] = await manager.query<{ count: number }[]>(sql, parameters);
  return row!.count;
}
