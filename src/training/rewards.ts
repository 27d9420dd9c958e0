import type { PairLogps } from './engine/training-engine.js';
import type { MarginSummary } from './outcomes.js';
import { bootstrapMean, mean, quantile } from './statistics.js';

export interface ScoredPair {
  anchorId: string;
  policy: PairLogps;
  against: PairLogps;
}

export function rewardsOf({ policy, against }: Omit<ScoredPair, 'anchorId'>, beta: number) {
  const chosen = beta * (policy.chosen - against.chosen);
  const rejected = beta * (policy.rejected - against.rejected);
  return { chosen, rejected, margin: chosen - rejected };
}

/** Margins of pairs that were scored under two policies; the interval is over anchors. */
export function summarizeMargins(pairs: readonly ScoredPair[], beta: number, seed: number): MarginSummary {
  const rewards = pairs.map((pair) => ({ anchorId: pair.anchorId, ...rewardsOf(pair, beta) }));
  const margins = rewards.map(({ margin }) => margin);
  const byAnchor = new Map<string, number[]>();
  for (const { anchorId, margin } of rewards) byAnchor.set(anchorId, [...(byAnchor.get(anchorId) ?? []), margin]);
  const { low, high } = bootstrapMean([...byAnchor.values()], seed);
  return {
    pairs: pairs.length,
    marginMean: mean(margins),
    marginP10: quantile(margins, 0.1),
    marginP50: quantile(margins, 0.5),
    marginP90: quantile(margins, 0.9),
    marginLow: low,
    marginHigh: high,
    chosenReward: mean(rewards.map(({ chosen }) => chosen)),
    rejectedReward: mean(rewards.map(({ rejected }) => rejected)),
    accuracy: margins.filter((margin) => margin > 0).length / margins.length,
  };
}
