import { softmax } from '../softmax.js';
import type { Calibration } from '../stage-model.js';
import { lbfgs } from './lbfgs.js';

export interface ScoredTurn {
  scores: Float64Array;
  /** Index of its label. */
  target: number;
}

/**
 * Fits one scale and a shift per class on scores of turns that the model was not trained on, at natural rates: training
 * sees more dsat than there is, which the shift undoes.
 */
export function fitCalibration(turns: ScoredTurn[], classes: number): Calibration {
  const point = new Float64Array(classes + 1);
  point[0] = 1;
  const objective = (at: Float64Array, gradient: Float64Array) => {
    gradient.set(at.map((value, i) => (i === 0 ? 1e-3 * (value - 1) : 1e-3 * value)));
    let loss = at.reduce((sum, value, i) => sum + 0.5e-3 * (i === 0 ? (value - 1) ** 2 : value ** 2), 0);
    for (const { scores, target } of turns) {
      const p = scores.map((score, c) => at[0]! * score + at[c + 1]!);
      softmax(p);
      loss -= Math.log(Math.max(p[target]!, 1e-300));
      scores.forEach((score, c) => {
        const error = p[c]! - (c === target ? 1 : 0);
        gradient[0]! += error * score;
        gradient[c + 1]! += error;
      });
    }
    return loss;
  };
  lbfgs(objective, point, { maxIterations: 200, tolerance: 1e-6 });
  return { scale: point[0]!, shift: [...point.subarray(1)] };
}
