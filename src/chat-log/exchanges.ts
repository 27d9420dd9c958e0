import type { Role } from './turn.js';

/** Which turns of a conversation an exchange is made of. */
export interface ExchangeTurns {
  /** The user turn nearest before the reply; null where the conversation has none there. */
  promptTurn: number | null;
  /** The assistant turn right before the user turn. */
  replyTurn: number;
  /** The user turn that is judged. */
  turn: number;
}

/**
 * The exchanges that the fresh turns of one conversation complete, whichever of their turns came last.
 *
 * The exchange of user turn t is complete when t - 1 is an assistant turn and no turn is missing from there back to the
 * user turn nearest before the reply, or to turn 0 where there is none. What comes later, in whatever order, then cannot
 * change it: a verdict depends on its exchange alone.
 * @param roles of the turns that are stored, the fresh ones and the user turn after the last of them included
 * @param fresh indexes of the fresh turns
 */
export function completedExchanges(roles: ReadonlyMap<number, Role>, fresh: Iterable<number>): ExchangeTurns[] {
  const users = [...roles].flatMap(([turn, role]) => (role === 'user' ? [turn] : [])).sort((a, b) => a - b);
  const candidates = new Set<number>();
  for (const turn of fresh) {
    if (roles.get(turn) === 'user') candidates.add(turn);
    const next = users.find((user) => user > turn);
    if (next !== undefined) candidates.add(next);
  }
  return [...candidates].sort((a, b) => a - b).flatMap((turn) => exchangeAt(roles, turn) ?? []);
}

function exchangeAt(roles: ReadonlyMap<number, Role>, turn: number): ExchangeTurns | undefined {
  if (roles.get(turn - 1) !== 'assistant') return undefined;
  let before = turn - 2;
  while (before >= 0 && roles.get(before) !== 'user') {
    if (!roles.has(before)) return undefined;
    before--;
  }
  return { promptTurn: before < 0 ? null : before, replyTurn: turn - 1, turn };
}
