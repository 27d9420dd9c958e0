import type { FeedbackKind, TurnFeedback } from '../../chat-log/turn.js';
import type { Evidence } from '../verdict.js';

export type FeedbackOnReply = Pick<TurnFeedback, 'kind' | 'value' | 'occurredAt'>;

/**
 * Log-odds of dsat that feedback on the reply adds to the verdict of the user's next turn. They are chosen, not fitted:
 * the labelled turns have no feedback. Two is a factor of 7 in the odds: alone it takes a turn from P(dsat) 0.12 to 0.5.
 */
const CLEAR = 2;
const PRESENT: Partial<Record<FeedbackKind, number>> = { regenerate: 1.5, edit: 0.5, copy: -1 };

/** Stars, of five. */
const BAD_RATING = 2;
const GOOD_RATING = 4;

/**
 * What all feedback on a reply says together, whatever order it came in: of thumbs and ratings the latest of each counts,
 * of the others that there is one. null where none of it says anything.
 */
export function weighFeedback(given: readonly FeedbackOnReply[]): Evidence | null {
  const latest = new Map<FeedbackKind, FeedbackOnReply>();
  for (const feedback of given.toSorted(byTime)) latest.set(feedback.kind, feedback);
  const weighed = [...latest.values()]
    .map(({ kind, value }): [FeedbackKind, number] => [kind, logOddsOf(kind, value)])
    .filter(([, logOdds]) => logOdds !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (weighed.length === 0) return null;
  return { logOdds: weighed.reduce((sum, [, logOdds]) => sum + logOdds, 0), feedback: Object.fromEntries(weighed) };
}

function byTime(a: FeedbackOnReply, b: FeedbackOnReply): number {
  return Date.parse(a.occurredAt) - Date.parse(b.occurredAt);
}

function logOddsOf(kind: FeedbackKind, value: FeedbackOnReply['value']): number {
  if (kind === 'thumbs') return -CLEAR * thumbOf(value);
  if (kind !== 'rating') return PRESENT[kind] ?? 0;
  const stars = value === null || value === '' ? Number.NaN : Number(value);
  if (stars <= BAD_RATING) return CLEAR;
  return stars >= GOOD_RATING ? -CLEAR : 0;
}

/** 1 up, -1 down, 0 where it is neither. */
function thumbOf(value: FeedbackOnReply['value']): number {
  if (value === 'up' || value === true || value === 1) return 1;
  return value === 'down' || value === false || value === -1 || value === 0 ? -1 : 0;
}
