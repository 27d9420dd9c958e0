import type { Label, Rubric } from '../dsat/verdict.js';

/** How turns are chosen for review: the classifier's most uncertain first, or any, so that shares can be estimated. */
export const REVIEW_STRATA = ['uncertain', 'random'] as const;
export type ReviewStratum = (typeof REVIEW_STRATA)[number];

export const REVIEW_CONFIDENCES = ['high', 'low'] as const;
export type ReviewConfidence = (typeof REVIEW_CONFIDENCES)[number];

/** What one reviewer says of a turn. */
export interface Vote {
  label: Label;
  /** null unless the label is dsat. */
  rubric: Rubric | null;
  confidence: ReviewConfidence;
}

/**
 * What the reviews of a turn come to: the label of more than half of them, and the rubric that most of those give (of
 * equally many the one given first); null where no label has more than half.
 */
export function decideVotes(votes: readonly Vote[]): Vote | null {
  const winner = mostCommon(votes.map(({ label }) => label));
  const winners = votes.filter(({ label }) => label === winner);
  if (winner === undefined || 2 * winners.length <= votes.length) return null;
  const sure = winners.length === votes.length && votes.every(({ confidence }) => confidence === 'high');
  return {
    label: winner,
    rubric: mostCommon(winners.map(({ rubric }) => rubric)) ?? null,
    confidence: sure ? 'high' : 'low',
  };
}

/** Of equally common ones the first. */
function mostCommon<T>(values: readonly T[]): T | undefined {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce<[T | undefined, number]>(
    (top, entry) => (entry[1] > top[1] ? entry : top),
    [undefined, 0],
  )[0];
}
