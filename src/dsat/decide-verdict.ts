import { softmax } from './softmax.js';
import type { Band, Calibration, Decision, StageModel } from './stage-model.js';
import { type Label, RUBRICS, type Rubric, type Verdict } from './verdict.js';

/**
 * The verdict on an exchange.
 * @param scores one a label, before calibration
 * @param rubricScores one a rubric; asked for only where the verdict is dsat
 */
export function verdictOf(
  scores: Float64Array,
  rubricScores: () => Float64Array,
  { calibration, decision, band }: Pick<StageModel, 'calibration' | 'decision' | 'band'>,
  classifierVersion: string,
): Verdict {
  const probabilities = probabilitiesOf(scores, calibration);
  const label = decide(probabilities, decision);
  return {
    label,
    probabilities,
    rubric: label === 'dsat' ? likeliest(rubricScores()) : null,
    abstained: abstains(probabilities, decision),
    classifierVersion,
    status: band && isUncertain(probabilities, band) ? 'provisional' : 'final',
  };
}

/** The rubric with the highest score. */
export function likeliest(rubricScores: Float64Array): Rubric {
  return RUBRICS[rubricScores.indexOf(Math.max(...rubricScores))]!;
}

/** Probability of each label from its score before calibration. */
export function probabilitiesOf(scores: ArrayLike<number>, calibration: Calibration): Record<Label, number> {
  const [dsat, sat, neutral] = calibrate(Float64Array.from(scores), calibration);
  return { dsat: dsat!, sat: sat!, neutral: neutral! };
}

/** Probabilities of scores, in place. */
export function calibrate(scores: Float64Array, { scale, shift }: Calibration): Float64Array {
  for (let i = 0; i < scores.length; i++) scores[i] = scale * scores[i]! + shift[i]!;
  softmax(scores);
  return scores;
}

export function decide({ dsat, sat }: Record<Label, number>, decision: Decision): Label {
  if (dsat >= decision.dsat) return 'dsat';
  return sat >= decision.sat ? 'sat' : 'neutral';
}

/** From here on dsat is more probable than not. */
const MORE_LIKELY = 0.5;

/**
 * Whether a verdict abstains: a dsat one that is more likely wrong than right, and one that the same distance under the
 * threshold kept from being dsat. The threshold is where F1 is best, and so lies under one half.
 */
export function abstains({ dsat }: Record<Label, number>, { dsat: threshold }: Decision): boolean {
  return dsat < MORE_LIKELY && dsat > 2 * threshold - MORE_LIKELY;
}

export function isUncertain(probabilities: Record<Label, number>, band: Band): boolean {
  const within = (value: number, [from, to]: [number, number]) => value > from && value < to;
  return within(probabilities.dsat, band.dsat) || within(probabilities.sat, band.sat);
}
