import { groupBy } from '../../group-by.js';
import { nearDuplicates } from './near-duplicates.js';

/** What is looked at of an anchor. */
export interface BurstCandidate {
  id: string;
  conversationId: string;
  tenant: string | null;
  /** The user's turn, f. */
  feedback: string;
  /** Beginning of the reply that displeased. */
  rejected: string;
  /** When the feedback was said. */
  occurredAt: Date;
}

/** So many conversations within so many hours are a burst. */
export const BURST = { conversations: 10, hours: 24 };

/** Shorter feedback ("that is wrong") is often the same by itself; then a long reply has to be the same too. */
const TELLING_FEEDBACK = 40;
const TELLING_REPLY = 200;
const HOUR_MS = 3_600_000;

/**
 * Ids of the anchors that many conversations of a tenant have nearly word for word at nearly the same time: somebody is
 * trying to teach the model something, or a client repeats itself. Depends on nothing but its input, in any order.
 */
export function findBursts(candidates: readonly BurstCandidate[]): string[] {
  const tenants = groupBy(candidates, ({ tenant }) => tenant);
  return [...tenants.values()].flatMap((ofTenant) => {
    const telling = ofTenant.flatMap((candidate) => {
      const text = tellingText(candidate);
      return text === undefined ? [] : [{ candidate, text }];
    });
    const groups = nearDuplicates(telling.map(({ text }) => text));
    return groups.flatMap((group) => burstOf(group.map((index) => telling[index]!.candidate)));
  });
}

function tellingText({ feedback, rejected }: BurstCandidate): string | undefined {
  if (feedback.length >= TELLING_FEEDBACK) return feedback;
  return rejected.length >= TELLING_REPLY ? `${feedback}\n${rejected}` : undefined;
}

/** Those that lie in a window with enough conversations. */
function burstOf(group: BurstCandidate[]): string[] {
  const ordered = group.toSorted((a, b) => a.occurredAt.getTime() - b.occurredAt.getTime());
  const burst = new Set<string>();
  let first = 0;
  for (const [last, { occurredAt }] of ordered.entries()) {
    while (occurredAt.getTime() - ordered[first]!.occurredAt.getTime() > BURST.hours * HOUR_MS) first++;
    const window = ordered.slice(first, last + 1);
    if (new Set(window.map(({ conversationId }) => conversationId)).size < BURST.conversations) continue;
    for (const { id } of window) burst.add(id);
  }
  return [...burst];
}
