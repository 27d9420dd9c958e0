import type { EntityManager } from 'typeorm';
import { groupBy } from '../../group-by.js';
import type { JudgedTurn } from '../verdict-rows.js';
import { type FeedbackOnReply, weighFeedback } from './weigh-feedback.js';
import { withEvidence } from './with-evidence.js';

interface TurnKey {
  conversationId: string;
  turn: number;
}

/**
 * The verdicts with the feedback that is stored on their replies; provisional ones as they are, whoever settles them
 * joins it. Call it in a transaction that holds the conversations' locks, so that feedback comes either before or after.
 */
export async function joinEvidence<T extends JudgedTurn>(manager: EntityManager, judged: T[]): Promise<T[]> {
  const settled = judged.filter(({ verdict }) => verdict.status === 'final');
  const given = await feedbackOnReplies(manager, settled);
  if (given.size === 0) return judged;
  return judged.map((turn) => {
    const evidence = weighFeedback(given.get(keyOf(turn)) ?? []);
    return evidence && turn.verdict.status === 'final'
      ? { ...turn, verdict: withEvidence(turn.verdict, evidence) }
      : turn;
  });
}

export const keyOf = ({ conversationId, turn }: TurnKey) => `${turn}:${conversationId}`;

/** By `keyOf` of the turn after the reply. */
export async function feedbackOnReplies(
  manager: EntityManager,
  turns: readonly TurnKey[],
): Promise<Map<string, FeedbackOnReply[]>> {
  if (turns.length === 0) return new Map();
  const rows = await manager.query<(TurnKey & Omit<FeedbackOnReply, 'occurredAt'> & { occurredAt: Date })[]>(
    `SELECT f.conversation_id AS "conversationId", f.turn + 1 AS turn, f.kind, f.value, f.occurred_at AS "occurredAt"
     FROM unnest($1::text[], $2::integer[]) AS g (conversation_id, turn)
     JOIN turn_feedback f ON f.conversation_id = g.conversation_id AND f.turn = g.turn - 1`,
    [turns.map(({ conversationId }) => conversationId), turns.map(({ turn }) => turn)],
  );
  const given = rows.map((row) => ({ ...row, occurredAt: row.occurredAt.toISOString() }));
  return groupBy(given, keyOf);
}
