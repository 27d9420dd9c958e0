import type { ReferencedPair } from './engine/training-engine.js';
import type { RunSettings } from './settings.js';
import { mean } from './statistics.js';

type Settings = Pick<RunSettings, 'verdictConfidence' | 'labelSmoothing'>;

/** Beyond it the loss would prefer the rejected. */
const MOST_SMOOTHING = 0.5;

/**
 * What the precision of each pair's anchor does to its part of the loss. `weight`: precision over the mean precision of
 * the pairs, so that the step keeps its size. `smoothing`: label smoothing 1 - precision, the share of pairs that should
 * not be preferred this way. A pair whose precision is not known counts as the mean, and is smoothed as set.
 */
export function confidenceTerms(
  precisions: readonly (number | null)[],
  { verdictConfidence, labelSmoothing }: Settings,
): Pick<ReferencedPair, 'weight' | 'labelSmoothing'>[] {
  const known = precisions.filter((precision) => precision !== null);
  if (known.length === 0) return precisions.map(() => ({}));
  const average = mean(known);
  return precisions.map((precision) => {
    if (precision === null) return {};
    if (verdictConfidence === 'weight') return { weight: precision / average };
    if (verdictConfidence !== 'smoothing') return {};
    return { labelSmoothing: Math.min(MOST_SMOOTHING, Math.max(labelSmoothing, 1 - precision)) };
  });
}
