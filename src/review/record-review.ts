import type { DataSource, EntityManager } from 'typeorm';
import type { AnchorState } from '../anchor/anchor.js';
import { lockConversations } from '../database/conversation-lock.js';
import { DriftError } from '../drift-error.js';
import type { Label, Rubric } from '../dsat/verdict.js';
import { holdOffErasures } from '../erasure/erase-conversations.js';
import { followReview } from './follow-review.js';
import { decideVotes, type ReviewStratum, type Vote } from './review.js';

export interface Review extends Vote {
  conversationId: string;
  turn: number;
  /** As the turn came with it. */
  lease: string;
}

/** What the reviews of the turn come to now. */
export interface ReviewedTurn {
  verdict: { label: Label; rubric: Rubric | null; abstained: boolean };
  anchor: { id: string; state: AnchorState } | null;
}

/**
 * Stores a review, makes the verdict follow, and what follows from that, in one transaction. The same review again is
 * answered the same.
 * @throws DriftError `not-found`; `conflict` where the lease is lost, or the reviewer said something else before
 */
export function recordReview(dataSource: DataSource, reviewer: string, review: Review): Promise<ReviewedTurn> {
  return dataSource.transaction('READ COMMITTED', async (manager) => {
    await holdOffErasures(manager);
    await lockConversations(manager, [review.conversationId]);
    const classified = await readClassified(manager, review);
    const before = await readReview(manager, reviewer, review);
    if (before) refuseOther(before, review);
    else {
      const stratum = await useLease(manager, reviewer, review);
      await insertReview(manager, reviewer, review, stratum, classified);
    }
    const verdict = await override(manager, review, classified);
    const anchor = await followReview(manager, { ...review, reviewer, verdict, again: before !== undefined });
    return { verdict, anchor };
  });
}

interface Classified {
  label: Label;
  rubric: Rubric | null;
  abstained: boolean;
  version: string;
}

/** What the classifier said of the turn, whatever counts now. */
async function readClassified(manager: EntityManager, { conversationId, turn }: Review): Promise<Classified> {
  const [row] = await manager.query<(Classified & { classified: Omit<Classified, 'version'> | null })[]>(
    `SELECT label, rubric, abstained, classifier_version AS version, classified FROM verdicts
     WHERE conversation_id = $1 AND turn = $2 AND status = 'final' FOR UPDATE`,
    [conversationId, turn],
  );
  if (!row) throw new DriftError('not-found', `There is no final verdict of turn ${turn} of ${conversationId}.`);
  const { classified, ...now } = row;
  return { ...now, ...classified };
}

async function readReview(
  manager: EntityManager,
  reviewer: string,
  { conversationId, turn }: Review,
): Promise<Vote | undefined> {
  const [row] = await manager.query<Vote[]>(
    `SELECT label, rubric, confidence FROM reviews WHERE conversation_id = $1 AND turn = $2 AND reviewer = $3`,
    [conversationId, turn, reviewer],
  );
  return row;
}

function refuseOther(before: Vote, { label, rubric, confidence }: Review): void {
  if (before.label === label && before.rubric === rubric && before.confidence === confidence) return;
  const said = [before.label, before.rubric, `confidence ${before.confidence}`].filter(Boolean).join(', ');
  throw new DriftError(
    'conflict',
    `You have reviewed this turn already (${said}), and that stays. Go on with GET /v1/reviews.`,
  );
}

/** Uses up the lease; one that expired holds while nobody else has taken the turn. */
async function useLease(manager: EntityManager, reviewer: string, review: Review): Promise<ReviewStratum> {
  const [rows] = await manager.query<[{ stratum: ReviewStratum }[], number]>(
    `DELETE FROM review_leases WHERE conversation_id = $1 AND turn = $2 AND reviewer = $3 AND token = $4
     RETURNING stratum`,
    [review.conversationId, review.turn, reviewer, review.lease],
  );
  const [used] = rows;
  if (used) return used.stratum;
  const message =
    'This lease is not yours any more: it ended, and another reviewer has taken the turn. Nothing was stored; get the next turn with GET /v1/reviews.';
  throw new DriftError('conflict', message);
}

async function insertReview(
  manager: EntityManager,
  reviewer: string,
  { conversationId, turn, label, rubric, confidence }: Review,
  stratum: ReviewStratum,
  classified: Classified,
): Promise<void> {
  await manager.query(
    `INSERT INTO reviews (conversation_id, turn, reviewer, label, rubric, confidence, stratum, classifier_label, classifier_version)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [conversationId, turn, reviewer, label, rubric, confidence, stratum, classified.label, classified.version],
  );
}

/** Makes the verdict that of the reviews. While they are undecided the classifier's label stands, and it abstains. */
async function override(
  manager: EntityManager,
  { conversationId, turn }: Review,
  { version: _, ...classified }: Classified,
): Promise<ReviewedTurn['verdict']> {
  const votes = await manager.query<Vote[]>(
    `SELECT label, rubric, confidence FROM reviews WHERE conversation_id = $1 AND turn = $2
     ORDER BY reviewed_at, reviewer`,
    [conversationId, turn],
  );
  const decided = decideVotes(votes);
  const verdict = decided
    ? { label: decided.label, rubric: decided.rubric, abstained: false }
    : { label: classified.label, rubric: classified.rubric, abstained: true };
  await manager.query(
    `UPDATE verdicts SET label = $3, rubric = $4, abstained = $5, reviewed = true, classified = $6
     WHERE conversation_id = $1 AND turn = $2`,
    [conversationId, turn, verdict.label, verdict.rubric, verdict.abstained, JSON.stringify(classified)],
  );
  return verdict;
}
