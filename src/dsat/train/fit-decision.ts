import { abstains, decide, isUncertain } from '../decide-verdict.js';
import { type JudgedExample, type Probabilities, scoredFor } from '../evaluation/judged.js';
import { bestF1 } from '../evaluation/metrics.js';
import type { Band, Decision } from '../stage-model.js';
import type { Label } from '../verdict.js';

/** The thresholds at which F1 of dsat, and then of sat among the rest, is best. */
export function fitDecision(judged: JudgedExample[]): Decision {
  const dsat = bestF1(scoredFor('dsat', judged)).threshold;
  const rest = judged.filter(({ probabilities }) => probabilities.dsat < dsat);
  return { dsat, sat: rest.length > 0 ? bestF1(scoredFor('sat', rest)).threshold : 1 };
}

/** A turn as both stages judged it out of fold. */
export interface CascadeExample {
  label: Label;
  first: Probabilities;
  second: Probabilities;
}

export type StageName = 'first' | 'second';

/** What the cascade makes of a turn: the second stage decides what lies in the band. */
export function throughCascade(
  { label, first, second }: CascadeExample,
  band: Band,
  decisions: Record<StageName, Decision>,
) {
  const provisional = isUncertain(first, band);
  const [probabilities, decision] = provisional ? [second, decisions.second] : [first, decisions.first];
  const [decided, abstained] = [decide(probabilities, decision), abstains(probabilities, decision)];
  return { label, probabilities, decided, abstained, provisional };
}

/** Leaves every turn, or none, to the second stage. */
export const EVERYTHING: Band = { dsat: [-1, 2], sat: [-1, 2] };
export const NOTHING: Band = { dsat: [2, 2], sat: [2, 2] };
