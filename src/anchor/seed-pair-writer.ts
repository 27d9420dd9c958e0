import type { EntityManager } from 'typeorm';
import { type RequestCase, sameRequest } from '../dsat/request-similarity.js';
import { isSettled, type Label } from '../dsat/verdict.js';
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
 * exchange is final and sat, still about the same request; a verdict that abstains is no side of one. Whichever of the
 * two verdicts becomes final last finds the other, as both transactions hold the conversation's lock.
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

/** What a seed pair is made of, if it is about one request: a dsat turn and the sat turn of the next exchange. */
interface Neighbours {
  conversationId: string;
  turn: number;
  satTurn: number;
}

/** Few verdicts have a neighbour, so texts are only read for those that do. */
async function findCandidates(manager: EntityManager, judged: JudgedTurn[]): Promise<Candidate[]> {
  const of = (label: Label) =>
    judged.filter(({ verdict, promptTurn }) => verdict.label === label && promptTurn !== null);
  const found = [...(await beforeSat(manager, of('sat'))), ...(await afterDsat(manager, of('dsat')))];
  const neighbours = new Map(found.map((each) => [`${each.turn}:${each.conversationId}`, each]));
  return neighbours.size === 0 ? [] : withTexts(manager, [...neighbours.values()]);
}

/**
 * SQL: the neighbour's verdict, looked up by itself. Where it knows little of the tables, as while a new database is
 * filled, PostgreSQL would rather read all final verdicts; it does not look into a query with OFFSET.
 */
const verdictOf = (conversationId: string, turn: string) =>
  `(SELECT label, status, abstained FROM verdicts WHERE conversation_id = ${conversationId} AND turn = ${turn} OFFSET 0)`;

/** Of sat turns, those whose prompt is a dsat turn: an anchor alone may outlive its verdict. */
async function beforeSat(manager: EntityManager, sats: JudgedTurn[]): Promise<Neighbours[]> {
  if (sats.length === 0) return [];
  return manager.query<Neighbours[]>(
    `SELECT a.conversation_id AS "conversationId", a.turn, g.sat_turn AS "satTurn"
     FROM unnest($1::text[], $2::integer[], $3::integer[]) AS g (conversation_id, turn, sat_turn)
     JOIN anchors a USING (conversation_id, turn)
     CROSS JOIN LATERAL ${verdictOf('a.conversation_id', 'a.turn')} AS dsat
     WHERE dsat.label = 'dsat' AND dsat.status = 'final' AND NOT dsat.abstained`,
    [
      sats.map(({ conversationId }) => conversationId),
      sats.map(({ promptTurn }) => promptTurn),
      sats.map(({ turn }) => turn),
    ],
  );
}

/** Of dsat turns, which have their anchors by now, those whose next user turn is stored already, final and sat. */
async function afterDsat(manager: EntityManager, dsats: JudgedTurn[]): Promise<Neighbours[]> {
  if (dsats.length === 0) return [];
  return manager.query<Neighbours[]>(
    `SELECT g.conversation_id AS "conversationId", g.turn, next.turn AS "satTurn"
     FROM unnest($1::text[], $2::integer[]) AS g (conversation_id, turn)
     CROSS JOIN LATERAL (
       SELECT turn FROM turns WHERE conversation_id = g.conversation_id AND turn > g.turn AND role = 'user'
       ORDER BY turn LIMIT 1
     ) AS next
     CROSS JOIN LATERAL ${verdictOf('g.conversation_id', 'next.turn')} AS sat
     WHERE sat.label = 'sat' AND sat.status = 'final' AND NOT sat.abstained`,
    [dsats.map(({ conversationId }) => conversationId), dsats.map(({ turn }) => turn)],
  );
}

function withTexts(manager: EntityManager, neighbours: Neighbours[]): Promise<Candidate[]> {
  return manager.query<Candidate[]>(
    `SELECT g.conversation_id AS "conversationId", g.turn, g.sat_turn AS "satTurn", request.content AS request,
       rejected.content AS rejected, feedback.content AS feedback, chosen.content AS "nextReply"
     FROM unnest($1::text[], $2::integer[], $3::integer[]) AS g (conversation_id, turn, sat_turn)
     JOIN turns rejected ON rejected.conversation_id = g.conversation_id AND rejected.turn = g.turn - 1
     JOIN turns feedback ON feedback.conversation_id = g.conversation_id AND feedback.turn = g.turn
     JOIN turns chosen ON chosen.conversation_id = g.conversation_id AND chosen.turn = g.sat_turn - 1
     CROSS JOIN LATERAL (
       SELECT content FROM turns
       WHERE conversation_id = g.conversation_id AND turn < g.turn - 1 AND role = 'user'
       ORDER BY turn DESC LIMIT 1
     ) AS request`,
    [
      neighbours.map(({ conversationId }) => conversationId),
      neighbours.map(({ turn }) => turn),
      neighbours.map(({ satTurn }) => satTurn),
    ],
  );
}
