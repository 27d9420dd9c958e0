import { readable, tokenHashes } from './text.js';

/** A dsat turn with what surrounds it: enough to tell whether the reply after it still serves the same request. */
export interface RequestCase {
  /** The user turn nearest before the rejected reply. */
  request: string;
  rejected: string;
  /** The dsat turn. */
  feedback: string;
  /** The reply to it. */
  nextReply: string;
}

export const SAME_REQUEST_THRESHOLD = 0.35;

const READ = { head: 6000, tail: 2000 };

/** Whether the next reply is another try at the same request. `similarity` is 0 to 1. Never throws. */
export function sameRequest({ request, rejected, nextReply }: RequestCase): { similarity: number; same: boolean } {
  const similarity = cosine(frequencies(`${request}\n${rejected}`), frequencies(nextReply));
  return { similarity, same: similarity >= SAME_REQUEST_THRESHOLD };
}

function frequencies(text: string): Map<number, number> {
  const counts = new Map<number, number>();
  for (const token of tokenHashes(readable(text, READ))) counts.set(token, (counts.get(token) ?? 0) + 1);
  return counts;
}

function cosine(a: Map<number, number>, b: Map<number, number>): number {
  let dot = 0;
  for (const [token, count] of a) dot += count * (b.get(token) ?? 0);
  const length = (m: Map<number, number>) => Math.sqrt([...m.values()].reduce((sum, count) => sum + count * count, 0));
  return dot === 0 ? 0 : Math.min(1, dot / (length(a) * length(b)));
}
