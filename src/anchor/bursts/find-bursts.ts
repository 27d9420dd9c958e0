import { groupBy } from '../../group-by.js';
import { groupNearDuplicates } from './near-duplicates.js';

/** A text as bursts compare it. */
export interface Fingerprint {
  words: number;
  signature: Int32Array;
}

/** An anchor as bursts are looked for. */
export interface Complaint {
  id: string;
  conversationId: string;
  /** When the user said it; Unix time in ms. */
  occurredAt: number;
  feedback: Fingerprint;
  /** Feedback and rejected reply together. */
  exchange: Fingerprint;
}

/** What makes near-duplicates a burst; `docs/training.md` says what each was measured at. */
interface BurstRule {
  alike: 'feedback' | 'exchange' | 'short-feedback';
  of: 'feedback' | 'exchange';
  /** Shorter texts are alike by chance. */
  fewestWords: number;
  /** At least so many conversations within the window … */
  conversations: number;
  /** … and so large a share of all complaints in it. */
  share: number;
}

export const BURST_RULES: readonly BurstRule[] = [
  { alike: 'feedback', of: 'feedback', fewestWords: 8, conversations: 10, share: 0.001 },
  { alike: 'exchange', of: 'exchange', fewestWords: 20, conversations: 20, share: 0.01 },
  { alike: 'short-feedback', of: 'feedback', fewestWords: 1, conversations: 50, share: 0.1 },
];
export const BURST_WINDOW_MS = 24 * 60 * 60 * 1000;
/** Estimated Jaccard similarity of words and pairs of words: one word in six may be another. */
const ALIKE = 0.5;

export interface Burst {
  alike: BurstRule['alike'];
  ids: string[];
  conversations: number;
}

/**
 * The bursts among complaints: near-duplicates from many conversations within a day. It depends on what the complaints
 * are and not on their order. Only windows that end at `since` or later are looked at; all complaints of these windows
 * must be given. A complaint is in one burst at most, by the first rule that takes it.
 */
export function findBursts(complaints: readonly Complaint[], since = Number.NEGATIVE_INFINITY): Burst[] {
  const ordered = complaints.toSorted((a, b) => a.occurredAt - b.occurredAt || (a.id < b.id ? -1 : 1));
  const times = ordered.map(({ occurredAt }) => occurredAt);
  const taken = new Set<string>();
  return BURST_RULES.flatMap((rule) => {
    const bursts = groupsOf(ordered, rule).flatMap((group) => {
      const members = floodOf(group, rule, times, since).filter(({ id }) => !taken.has(id));
      return members.length > 0 ? [burstOf(rule, members)] : [];
    });
    for (const id of bursts.flatMap(({ ids }) => ids)) taken.add(id);
    return bursts;
  });
}

function groupsOf(ordered: readonly Complaint[], { of, fewestWords, conversations }: BurstRule): Complaint[][] {
  const long = ordered.filter((complaint) => complaint[of].words >= fewestWords);
  const numbers = groupNearDuplicates(
    long.map((complaint) => complaint[of].signature),
    ALIKE,
  );
  const groups = groupBy(long.keys(), (index) => numbers[index]!);
  return [...groups.values()]
    .filter(({ length }) => length >= conversations)
    .map((group) => group.map((index) => long[index]!));
}

/** The members of a group, in the order of time, that are in a window with enough others. */
function floodOf(group: readonly Complaint[], rule: BurstRule, times: readonly number[], since: number): Complaint[] {
  const flood: Complaint[] = [];
  const spoken = new Tally();
  let [start, unmarked] = [0, 0];
  for (const [end, { occurredAt, conversationId }] of group.entries()) {
    const before = occurredAt - BURST_WINDOW_MS;
    spoken.add(conversationId);
    while (group[start]!.occurredAt <= before) spoken.remove(group[start++]!.conversationId);
    const all = countUpTo(times, occurredAt) - countUpTo(times, before);
    if (occurredAt < since || spoken.size < Math.max(rule.conversations, rule.share * all)) continue;
    flood.push(...group.slice(Math.max(start, unmarked), end + 1));
    unmarked = end + 1;
  }
  return flood;
}

/** How many different values there are, as they come and go. */
class Tally {
  private readonly counts = new Map<string, number>();

  get size(): number {
    return this.counts.size;
  }

  add(value: string): void {
    this.counts.set(value, (this.counts.get(value) ?? 0) + 1);
  }

  remove(value: string): void {
    const left = this.counts.get(value)! - 1;
    if (left === 0) this.counts.delete(value);
    else this.counts.set(value, left);
  }
}

/** How many of the ascending times are not after `time`. */
function countUpTo(times: readonly number[], time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function burstOf({ alike }: BurstRule, members: readonly Complaint[]): Burst {
  const conversations = new Set(members.map(({ conversationId }) => conversationId)).size;
  return { alike, ids: members.map(({ id }) => id), conversations };
}
