import type { EntityManager } from 'typeorm';
import { type Followed, followVerdicts, isDsat, markDisputed } from '../../anchor/follow-verdicts.js';
import { holdDependents } from '../../anchor/used-anchors.js';
import { lockConversations } from '../../database/conversation-lock.js';
import { groupBy } from '../../group-by.js';
import { joinEvidence, keyOf } from '../evidence/join-evidence.js';
import type { Verdict } from '../verdict.js';
import { type JudgedTurn, updateVerdicts } from '../verdict-rows.js';
import type { PastTurn } from './history-rows.js';
import { keepReplaced, keepWithheld } from './keep-verdicts.js';

/** A turn of the history with the verdict of the present version. */
export type Rejudged = PastTurn & Pick<JudgedTurn, 'verdict'>;

/** What one transaction did. */
export interface TakenUp extends Followed {
  /** Verdicts that count now. */
  verdicts: number;
  /** Verdicts that a run's use of their turn kept from counting. */
  withheld: number;
  /** By `old→new` label, of those that count now. */
  labels: Record<string, number>;
  /** Turns for another time: somebody else holds what depends on them. */
  busy: number;
}

/**
 * Puts the verdicts in the place of those that were read, with all that follows, and keeps the old ones. Turns whose verdict
 * is another one by now are left out; those that a run used keep the verdict it used. Call it in a transaction.
 * @param feedbackEvidence whether feedback on the reply counts
 */
export async function takeUp(
  manager: EntityManager,
  rejudged: Rejudged[],
  feedbackEvidence: boolean,
): Promise<TakenUp> {
  await lockConversations(
    manager,
    rejudged.map(({ conversationId }) => conversationId),
  );
  const unchanged = await holdUnchanged(manager, rejudged);
  const judged = feedbackEvidence ? await joinEvidence(manager, unchanged) : unchanged;
  const { free, used, busy } = await tellApart(manager, judged);
  await keepReplaced(manager, free);
  await updateVerdicts(manager, free, 'final');
  const followed = await followVerdicts(manager, free);
  await keepWithheld(manager, used);
  followed.anchors.disputed += await markDisputed(
    manager,
    used.filter((turn) => !isDsat(turn)),
  );
  const labels = groupBy(free, ({ was, verdict }) => `${was.label}→${verdict.label}`);
  return {
    ...followed,
    verdicts: free.length,
    withheld: used.length,
    labels: Object.fromEntries([...labels].map(([change, turns]) => [change, turns.length])),
    busy: busy.length,
  };
}

/** Those whose verdict is still the one that was read; it is held until the transaction ends. */
async function holdUnchanged(manager: EntityManager, rejudged: Rejudged[]): Promise<Rejudged[]> {
  const rows = await manager.query<{ conversationId: string; turn: number }[]>(
    `SELECT v.conversation_id AS "conversationId", v.turn
     FROM verdicts v JOIN unnest($1::text[], $2::integer[], $3::text[]) AS g (conversation_id, turn, version)
       ON v.conversation_id = g.conversation_id AND v.turn = g.turn
     WHERE v.status = 'final' AND NOT v.reviewed AND v.classifier_version = g.version FOR UPDATE OF v`,
    [
      rejudged.map(({ conversationId }) => conversationId),
      rejudged.map(({ turn }) => turn),
      rejudged.map(({ was }) => was.version),
    ],
  );
  const held = new Set(rows.map(keyOf));
  return rejudged.filter((turn) => held.has(keyOf(turn)));
}

async function tellApart(manager: EntityManager, turns: Rejudged[]) {
  const dependents = groupBy(await holdDependents(manager, turns), keyOf);
  const is = (turn: Rejudged, what: 'busy' | 'used') => dependents.get(keyOf(turn))?.some((one) => one[what]) ?? false;
  const settled = turns.filter((turn) => !is(turn, 'busy'));
  return {
    busy: turns.filter((turn) => is(turn, 'busy')),
    used: settled.filter((turn) => is(turn, 'used')),
    free: settled.filter((turn) => !is(turn, 'used')),
  };
}

export const finalOf = (verdict: Verdict): Verdict => ({ ...verdict, status: 'final' });
