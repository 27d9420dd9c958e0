import type { EntityManager } from 'typeorm';
import { isSettledAs } from '../dsat/verdict.js';
import type { JudgedTurn } from '../dsat/verdict-rows.js';
import { derivedId } from './derived-id.js';
import { type RecordedCases, recordFinal } from './record-final.js';
import { NOT_DSAT, restoreAnchors, undecided } from './retired-by-verdict.js';

/**
 * Brings anchors and seed pairs in line with verdicts that feedback changed. An anchor that is none any more goes, as if
 * it had never been made; one that a run used is retired instead, and what a person decided of one stays. Returns what is
 * new.
 */
export async function followEvidence(manager: EntityManager, judged: JudgedTurn[]): Promise<RecordedCases> {
  const dsat = judged.filter(({ verdict }) => isSettledAs(verdict, 'dsat'));
  const sat = judged.filter(({ verdict }) => isSettledAs(verdict, 'sat'));
  const without = (some: JudgedTurn[]) => judged.filter((turn) => !some.includes(turn));
  await dropSeedPairs(manager, without(dsat), 'turn');
  await dropSeedPairs(manager, without(sat), 'sat_turn');
  await withdraw(manager, idsOf(without(dsat)));
  await restoreAnchors(manager, idsOf(dsat));
  return recordFinal(manager, judged);
}

const idsOf = (judged: JudgedTurn[]) =>
  judged.map(({ conversationId, turn }) => derivedId('anchor', conversationId, turn));

async function dropSeedPairs(manager: EntityManager, judged: JudgedTurn[], side: 'turn' | 'sat_turn'): Promise<void> {
  await manager.query(
    `DELETE FROM seed_pairs s USING unnest($1::text[], $2::integer[]) AS g (conversation_id, turn)
     WHERE s.conversation_id = g.conversation_id AND s.${side} = g.turn`,
    [judged.map(({ conversationId }) => conversationId), judged.map(({ turn }) => turn)],
  );
}

async function withdraw(manager: EntityManager, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  // Held first, so that no run begins to use one meanwhile.
  await manager.query('SELECT FROM anchors WHERE id = ANY ($1) ORDER BY id FOR UPDATE', [ids]);
  await manager.query(
    `DELETE FROM anchors a WHERE id = ANY ($1) AND ${undecided('a')}
       AND NOT EXISTS (SELECT FROM run_anchors WHERE anchor_id = a.id)
       AND NOT EXISTS (SELECT FROM pairs WHERE anchor_id = a.id)`,
    [ids],
  );
  await manager.query(
    `UPDATE anchors a SET state = 'retired', state_reason = $2 WHERE id = ANY ($1) AND ${undecided('a')}`,
    [ids, NOT_DSAT.feedback],
  );
}
