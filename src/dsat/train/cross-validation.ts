import { createHash } from 'node:crypto';
import { type Example, type LinearWeights, type Row, trainLogisticRegression } from './logistic-regression.js';

export const FOLDS = 5;

/** A conversation is in one fold as a whole, always the same one. */
export function foldOf(conversation: string): number {
  return createHash('sha256').update(`fold ${conversation}`).digest()[0]! % FOLDS;
}

export interface Problem {
  examples: Example[];
  /** Fold of each example. */
  folds: number[];
  classes: number;
  buckets: number;
  l2: number;
}

/** What counts nothing is not trained on, but scored. */
export function train({ examples, classes, buckets, l2 }: Problem): LinearWeights {
  const counting = examples.filter(({ weight }) => weight > 0);
  return trainLogisticRegression(counting, classes, buckets, l2);
}

/** Scores of each example by the model that was trained on the other folds. */
export function outOfFoldScores(problem: Problem, onFold: (fold: number) => void): Float64Array[] {
  const scores: Float64Array[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const model = train({ ...problem, examples: problem.examples.filter((_, at) => problem.folds[at] !== fold) });
    problem.examples.forEach(({ row }, at) => {
      if (problem.folds[at] === fold) scores[at] = scoresOf(row, model);
    });
    onFold(fold);
  }
  return scores;
}

export function scoresOf({ indices, values }: Row, { classes, weights, bias }: LinearWeights): Float64Array {
  const scores = Float64Array.from(bias);
  indices.forEach((bucket, i) => {
    for (let c = 0; c < classes; c++) scores[c]! += weights[bucket * classes + c]! * values[i]!;
  });
  return scores;
}
