import type { EntityManager } from 'typeorm';
import type { AnchorState } from '../anchor/anchor.js';
import { derivedId } from '../anchor/derived-id.js';
import { recordFinal } from '../anchor/record-final.js';
import { NOT_DSAT, restoreAnchors, undecided } from '../anchor/retired-by-verdict.js';
import { isSettledAs, type Verdict } from '../dsat/verdict.js';
import type { JudgedTurn } from '../dsat/verdict-rows.js';
import type { Review, ReviewedTurn } from './record-review.js';

export interface FollowedReview extends Pick<Review, 'conversationId' | 'turn' | 'label' | 'rubric' | 'confidence'> {
  reviewer: string;
  verdict: ReviewedTurn['verdict'];
  /** The review was stored before: it is not logged again. */
  again: boolean;
}

/**
 * Brings the turn's anchor and seed pairs in line with its reviews: made, retired, or active again. What a person decided
 * of the anchor itself stays. What a run used is kept with the run, and its anchor's reason stays as it was.
 */
export async function followReview(manager: EntityManager, review: FollowedReview): Promise<ReviewedTurn['anchor']> {
  const { conversationId, turn, verdict } = review;
  const judged = await judgedTurn(manager, review);
  const isDsat = isSettledAs(judged.verdict, 'dsat');
  const isSat = isSettledAs(judged.verdict, 'sat');
  const id = derivedId('anchor', conversationId, turn);
  if (!isSat)
    await manager.query('DELETE FROM seed_pairs WHERE conversation_id = $1 AND sat_turn = $2', [conversationId, turn]);
  if (isDsat) await confirm(manager, id, verdict.rubric);
  else await retire(manager, id);
  await recordFinal(manager, [judged]);
  const anchor = await anchorOf(manager, id);
  if (!review.again) await log(manager, id, review, anchor);
  return anchor;
}

async function judgedTurn(manager: EntityManager, review: FollowedReview): Promise<JudgedTurn> {
  const { conversationId, turn, verdict } = review;
  const [row] = await manager.query<[Omit<Row, 'verdict'>]>(
    `SELECT p_dsat AS dsat, p_sat AS sat, p_neutral AS neutral, classifier_version AS version, (
       SELECT max(turn) FROM turns WHERE conversation_id = $1 AND turn < $2 - 1 AND role = 'user') AS "promptTurn"
     FROM verdicts WHERE conversation_id = $1 AND turn = $2`,
    [conversationId, turn],
  );
  const { dsat, sat, neutral, version, promptTurn } = row;
  const whole: Verdict = {
    ...verdict,
    probabilities: { dsat, sat, neutral },
    classifierVersion: version,
    status: 'final',
  };
  return { conversationId, turn, promptTurn, verdict: whole };
}

interface Row extends Record<'dsat' | 'sat' | 'neutral', number> {
  version: string;
  promptTurn: number | null;
}

async function confirm(manager: EntityManager, id: string, rubric: string | null): Promise<void> {
  await manager.query(
    `UPDATE anchors a SET rubric = $2 WHERE id = $1 AND state <> 'erased'
       AND NOT EXISTS (SELECT FROM run_anchors WHERE anchor_id = a.id AND decision IN ('train', 'held-out'))`,
    [id, rubric],
  );
  await restoreAnchors(manager, [id]);
}

async function retire(manager: EntityManager, id: string): Promise<void> {
  await manager.query(`UPDATE anchors a SET state = 'retired', state_reason = $2 WHERE id = $1 AND ${undecided('a')}`, [
    id,
    NOT_DSAT.reviewed,
  ]);
}

async function anchorOf(manager: EntityManager, id: string): Promise<{ id: string; state: AnchorState } | null> {
  const [row] = await manager.query<{ id: string; state: AnchorState }[]>(
    'SELECT id, state FROM anchors WHERE id = $1',
    [id],
  );
  return row ?? null;
}

async function log(
  manager: EntityManager,
  id: string,
  { reviewer, label, rubric, confidence, verdict }: FollowedReview,
  anchor: { state: AnchorState } | null,
): Promise<void> {
  const facts = { reviewer, label, rubric, confidence, verdict, anchor: anchor?.state ?? null };
  await manager.query(`INSERT INTO audit_log (action, subject, facts) VALUES ('review', $1, $2)`, [
    id,
    JSON.stringify(facts),
  ]);
}
