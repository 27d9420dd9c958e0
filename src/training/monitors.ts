import type { TrainingStep } from './engine/training-engine.js';
import { mean, quantile } from './statistics.js';

/** Non-vanishing gradient: a pair counts when sigma(-s) is at least this (the paper's tau). */
export const TAU = 0.25;

export interface StepMonitors {
  marginP10: number;
  marginP50: number;
  marginP90: number;
  /** Share of pairs with sigma(-s) >= TAU. */
  p0: number;
  /** Mean sigma(-s): the weight that the gradient gives the pairs. */
  meanSigma: number;
  /** Change of chosen logps against the reference, mean; below 0 the chosen are being displaced. */
  chosenLogpsChange: number;
  margins: number[];
}

export const sigma = (x: number): number => 1 / (1 + Math.exp(-x));

export function monitorStep({ margins, chosenReward }: TrainingStep, beta: number): StepMonitors {
  const weights = margins.map((margin) => sigma(-margin));
  return {
    marginP10: quantile(margins, 0.1),
    marginP50: quantile(margins, 0.5),
    marginP90: quantile(margins, 0.9),
    p0: weights.filter((weight) => weight >= TAU).length / weights.length,
    meanSigma: mean(weights),
    chosenLogpsChange: chosenReward / beta,
    margins: [...margins],
  };
}
