import type { EntityManager } from 'typeorm';

interface TurnKey {
  conversationId: string;
  turn: number;
}

/** What depends on the verdict of a turn. */
export interface Dependents extends TurnKey {
  /** Somebody else holds an anchor of it, such as a run that is being planned. */
  busy: boolean;
  /** A run used what follows from the verdict: it is among its anchors, or in its warm start. */
  used: boolean;
}

interface DependentAnchor extends TurnKey {
  id: string;
  /** Whether it is the anchor of the turn itself; else the turn is the sat side of its seed pair. */
  own: boolean;
}

/**
 * Holds the anchors that depend on the turns' verdicts until the transaction ends, as far as nobody else does, so that no
 * run begins to use one meanwhile. It never waits: who plans a run holds many, in another order. Turns on which nothing
 * depends are not in the answer.
 */
export async function holdDependents(manager: EntityManager, turns: TurnKey[]): Promise<Dependents[]> {
  const anchors = await dependentAnchors(manager, turns);
  if (anchors.length === 0) return [];
  const ids = anchors.map(({ id }) => id);
  const held = await idsOf(manager, 'SELECT id FROM anchors WHERE id = ANY ($1) FOR UPDATE SKIP LOCKED', ids);
  const warmed = await idsOf(manager, `${WARMED} WHERE split = 'warm-start' AND anchor_id = ANY ($1)`, ids);
  const chosen = await idsOf(
    manager,
    `${CHOSEN} WHERE decision IN ('train', 'held-out') AND anchor_id = ANY ($1)`,
    ids,
  );
  return anchors.map(({ conversationId, turn, id, own }) => ({
    conversationId,
    turn,
    busy: !held.has(id),
    used: warmed.has(id) || (own && chosen.has(id)),
  }));
}

const WARMED = 'SELECT anchor_id AS id FROM pairs';
const CHOSEN = 'SELECT anchor_id AS id FROM run_anchors';

function dependentAnchors(manager: EntityManager, turns: TurnKey[]): Promise<DependentAnchor[]> {
  return manager.query<DependentAnchor[]>(
    `SELECT g.conversation_id AS "conversationId", g.turn, a.id, a.turn = g.turn AS own
     FROM unnest($1::text[], $2::integer[]) AS g (conversation_id, turn)
     JOIN anchors a ON a.conversation_id = g.conversation_id AND (a.turn = g.turn OR a.turn IN (
       SELECT s.turn FROM seed_pairs s WHERE s.conversation_id = g.conversation_id AND s.sat_turn = g.turn))`,
    [turns.map(({ conversationId }) => conversationId), turns.map(({ turn }) => turn)],
  );
}

async function idsOf(manager: EntityManager, sql: string, ids: string[]): Promise<Set<string>> {
  const rows = await manager.query<{ id: string }[]>(sql, [ids]);
  return new Set(rows.map(({ id }) => id));
}
