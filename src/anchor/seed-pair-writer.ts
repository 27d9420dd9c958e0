import type { EntityManager } from 'typeorm';
import { type RequestCase, sameRequest } from '../dsat/request-similarity.js';
import { isSettled } from '../dsat/verdict.js';
import type { JudgedTurn } from '../dsat/verdict-rows.js';
import { derivedId } from './derived-id.js';

interface Candidate extends RequestCase {
  conversationId: string;
  /** The dsat turn. */
  turn: number;
  satTurn: number;
}

/**
 * Writes the seed pairs that the given verdicts complete, and returns how many are new: a final dsat turn whose next
 * exchange is final and sat, still about the same request; a verdict that abstains is no side of one. Whichever of the two verdicts becomes final last finds the
 * other, as both transactions hold the conversation's lock.
 */
export async function writeSeedPairs(manager: EntityManager, judged: JudgedTurn[]): Promise<number> {
  const sides = judged.filter(({ verdict }) => isSettled(verdict) && verdict.label !== 'neutral');
  if (sides.length === 0) return 0;
  const pairs = (await findCandidates(manager, sides)).flatMap((candidate) => {
    const { same, similarity } = sameRequest(candidate);
    return same ? [{ ...candidate, similarity }] : [];
  });
  if (pairs.length === 0) return 0;
  const written = await manager.query<unknown[]>(
    `INSERT INTO seed_pairs (id, conversation_id, turn, chosen_turn, sat_turn, similarity)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[], $5::integer[], $6::float8[])
     ON CONFLICT DO NOTHING RETURNING id`,
    [
      pairs.map(({ conversationId, turn }) => derivedId('seed-pair', conversationId, turn)),
      pairs.map(({ conversationId }) => conversationId),
      pairs.map(({ turn }) => turn),
      pairs.map(({ satTurn }) => satTurn - 1),
      pairs.map(({ satTurn }) => satTurn),
      pairs.map(({ similarity }) => similarity),
    ],
  );
  return written.length;
}

/** Each given verdict may be the dsat side, with the next user turn as the sat side, or the sat side. */
function findCandidates(manager: EntityManager, judged: JudgedTurn[]): Promise<Candidate[]> {
  return manager.query<Candidate[]>(
    `WITH sides AS (
       SELECT g.conversation_id, g.turn AS dsat_turn, (
         SELECT turn FROM turns WHERE conversation_id = g.conversation_id AND turn > g.turn AND role = 'user'
         ORDER BY turn LIMIT 1) AS sat_turn
       FROM unnest($1::text[], $2::integer[], $3::text[], $4::integer[]) AS g (conversation_id, turn, label, prompt_turn)
       WHERE g.label = 'dsat'
       UNION
       SELECT g.conversation_id, g.prompt_turn, g.turn
       FROM unnest($1::text[], $2::integer[], $3::text[], $4::integer[]) AS g (conversation_id, turn, label, prompt_turn)
       WHERE g.label = 'sat'
     )
     SELECT sides.conversation_id AS "conversationId", dsat_turn AS turn, sat_turn AS "satTurn",
       request.content AS request, rejected.content AS rejected, feedback.content AS feedback,
       chosen.content AS "nextReply"
     FROM sides
     JOIN anchors a ON a.conversation_id = sides.conversation_id AND a.turn = dsat_turn
     JOIN verdicts sat ON sat.conversation_id = sides.conversation_id AND sat.turn = sat_turn
       AND sat.label = 'sat' AND sat.status = 'final' AND NOT sat.abstained
     JOIN turns rejected ON rejected.conversation_id = sides.conversation_id AND rejected.turn = dsat_turn - 1
     JOIN turns feedback ON feedback.conversation_id = sides.conversation_id AND feedback.turn = dsat_turn
     JOIN turns chosen ON chosen.conversation_id = sides.conversation_id AND chosen.turn = sat_turn - 1
     CROSS JOIN LATERAL (
       SELECT content FROM turns
       WHERE conversation_id = sides.conversation_id AND turn < dsat_turn - 1 AND role = 'user'
       ORDER BY turn DESC LIMIT 1
     ) AS request`,
    [
      judged.map(({ conversationId }) => conversationId),
      judged.map(({ turn }) => turn),
      judged.map(({ verdict }) => verdict.label),
      judged.map(({ promptTurn }) => promptTurn),
    ],
  );
}
