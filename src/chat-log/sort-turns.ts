import { type Turn, turnKey } from './turn.js';

/** A turn with the index of its record in the batch, and its own within that record. */
export interface PlacedTurn {
  turn: Turn;
  record: number;
  item: number;
}

/** A turn that says otherwise than the turn that came before it at the same place. */
export interface ConflictingTurn extends PlacedTurn {
  storedSha256: string;
}

export interface SortedTurns {
  fresh: Turn[];
  duplicates: number;
  conflicts: ConflictingTurn[];
}

/**
 * Tells what is new from what is known, in the order given: who comes first stays.
 * @param stored sha256 of the turns that are stored, by `turnKey`
 */
export function sortTurns(placed: PlacedTurn[], stored: ReadonlyMap<string, string>): SortedTurns {
  const known = new Map(stored);
  const sorted: SortedTurns = { fresh: [], duplicates: 0, conflicts: [] };
  for (const candidate of placed) {
    const { turn } = candidate;
    const key = turnKey(turn.conversationId, turn.turn);
    const storedSha256 = known.get(key);
    if (storedSha256 === undefined) {
      known.set(key, turn.sha256);
      sorted.fresh.push(turn);
    } else if (storedSha256 === turn.sha256) sorted.duplicates++;
    else sorted.conflicts.push({ ...candidate, storedSha256 });
  }
  return sorted;
}
