import type { EntityManager } from 'typeorm';
import { isSettledAs } from '../dsat/verdict.js';
import type { JudgedTurn } from '../dsat/verdict-rows.js';
import { derivedId } from './derived-id.js';

/**
 * Writes the anchor of each final dsat verdict that does not abstain, and returns how many are new. Where no user turn
 * precedes the reply there is nothing that could be asked again, so no anchor.
 */
export async function writeAnchors(manager: EntityManager, judged: JudgedTurn[]): Promise<number> {
  const cases = judged.filter(({ verdict, promptTurn }) => isSettledAs(verdict, 'dsat') && promptTurn !== null);
  if (cases.length === 0) return 0;
  const written = await manager.query<unknown[]>(
    `INSERT INTO anchors (id, conversation_id, turn, rubric, confidence, classifier_version, policy_version, model, tenant)
     SELECT g.id, g.conversation_id, g.turn, g.rubric, g.confidence, g.classifier_version,
       reply.policy_version, reply.model, feedback.tenant
     FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::float8[], $6::text[])
       AS g (id, conversation_id, turn, rubric, confidence, classifier_version)
     JOIN turns feedback ON feedback.conversation_id = g.conversation_id AND feedback.turn = g.turn
     JOIN turns reply ON reply.conversation_id = g.conversation_id AND reply.turn = g.turn - 1
     ON CONFLICT DO NOTHING RETURNING id`,
    [
      cases.map(({ conversationId, turn }) => derivedId('anchor', conversationId, turn)),
      cases.map(({ conversationId }) => conversationId),
      cases.map(({ turn }) => turn),
      cases.map(({ verdict }) => verdict.rubric),
      cases.map(({ verdict }) => verdict.probabilities.dsat),
      cases.map(({ verdict }) => verdict.classifierVersion),
    ],
  );
  return written.length;
}
