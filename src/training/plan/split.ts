import { createHash } from 'node:crypto';

export type Split = 'train' | 'held-out';

const HELD_OUT_SHARE = 0.2;

/**
 * The side of a conversation: the same in every run, whatever the preset, so that no version was ever trained on a
 * conversation that measures it.
 */
export function splitOf(conversationId: string): Split {
  return fraction(`split\u0000${conversationId}`) < HELD_OUT_SHARE ? 'held-out' : 'train';
}

export interface Candidate {
  id: string;
  conversationId: string;
  /** How many done runs trained on it. */
  timesTrained: number;
}

/**
 * The order in which anchors are taken: the least trained first, then one of each conversation before the second of
 * any, then by hash. It depends on nothing but its input.
 */
export function orderCandidates<T extends Candidate>(candidates: readonly T[]): T[] {
  const hashed = candidates.map((candidate) => ({ candidate, hash: fraction(`order\u0000${candidate.id}`) }));
  hashed.sort((a, b) => a.hash - b.hash || (a.candidate.id < b.candidate.id ? -1 : 1));
  const seen = new Map<string, number>();
  const ranked = hashed.map(({ candidate }) => {
    const rank = seen.get(candidate.conversationId) ?? 0;
    seen.set(candidate.conversationId, rank + 1);
    return { candidate, rank };
  });
  ranked.sort((a, b) => a.candidate.timesTrained - b.candidate.timesTrained || a.rank - b.rank);
  return ranked.map(({ candidate }) => candidate);
}

function fraction(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}
