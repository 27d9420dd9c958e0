import type { EntityManager } from 'typeorm';
import type { JudgedTurn } from '../verdict-rows.js';

/**
 * Keeps the verdicts that are about to be replaced. A version has one verdict of a turn: one of this version that was
 * kept when it was replaced goes, as it counts again.
 */
export async function keepReplaced(manager: EntityManager, judged: JudgedTurn[]): Promise<void> {
  if (judged.length === 0) return;
  await manager.query(
    `DELETE FROM verdict_history h USING unnest($1::text[], $2::integer[], $3::text[]) AS g (conversation_id, turn, version)
     WHERE h.conversation_id = g.conversation_id AND h.turn = g.turn AND h.classifier_version = g.version`,
    keysOf(judged),
  );
  await manager.query(
    `INSERT INTO verdict_history (conversation_id, turn, classifier_version, standing, verdict)
     SELECT v.conversation_id, v.turn, v.classifier_version, 'replaced', jsonb_build_object('label', v.label, 'rubric', v.rubric, 'abstained', v.abstained,
       'probabilities', jsonb_build_object('dsat', v.p_dsat, 'sat', v.p_sat, 'neutral', v.p_neutral))
     FROM verdicts v JOIN unnest($1::text[], $2::integer[]) AS g (conversation_id, turn)
       ON v.conversation_id = g.conversation_id AND v.turn = g.turn
     ${LAST_WINS}`,
    keysOf(judged).slice(0, 2),
  );
}

/** Keeps verdicts that do not come to count. */
export async function keepWithheld(manager: EntityManager, judged: JudgedTurn[]): Promise<void> {
  if (judged.length === 0) return;
  await manager.query(
    `INSERT INTO verdict_history (conversation_id, turn, classifier_version, standing, verdict)
     SELECT g.conversation_id, g.turn, g.version, 'withheld', g.verdict
     FROM unnest($1::text[], $2::integer[], $3::text[], $4::jsonb[]) AS g (conversation_id, turn, version, verdict)
     ${LAST_WINS}`,
    [
      ...keysOf(judged),
      judged.map(({ verdict: { label, rubric, abstained, probabilities } }) =>
        JSON.stringify({ label, rubric, abstained, probabilities }),
      ),
    ],
  );
}

const LAST_WINS = `ON CONFLICT (conversation_id, turn, classifier_version)
  DO UPDATE SET standing = EXCLUDED.standing, verdict = EXCLUDED.verdict, recorded_at = now()`;

const keysOf = (judged: JudgedTurn[]): unknown[][] => [
  judged.map(({ conversationId }) => conversationId),
  judged.map(({ turn }) => turn),
  judged.map(({ verdict }) => verdict.classifierVersion),
];
