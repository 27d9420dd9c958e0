import { FeatureVector } from '../feature-vector.js';
import { type QuantisedOutput, quantise } from '../linear-output.js';
import type { Features } from '../linear-stage.js';
import { LABELS, RUBRICS } from '../verdict.js';
import { outOfFoldScores, type Problem, train } from './cross-validation.js';
import type { LabelledExchange } from './labelled-exchanges.js';
import { copyRow, type Example } from './logistic-regression.js';

export interface StageSettings {
  name: 'first' | 'second';
  features: Features;
  /** Buckets are two to this power. */
  bits: number;
  l2: { labels: number; rubrics: number };
}

export interface TrainedStage {
  labels: QuantisedOutput;
  rubrics: QuantisedOutput;
  /** Of each labelled turn, by a model that saw no turn of its conversation. */
  labelScores: Float64Array[];
  /** Of each turn labelled dsat, in their order. */
  rubricScores: Float64Array[];
}

/** Trains both outputs of a stage, once for each fold and once on everything. */
export function trainStage(
  turns: LabelledExchange[],
  folds: number[],
  settings: StageSettings,
  say: (what: string) => void,
): TrainedStage {
  const { name, features, bits, l2 } = settings;
  const vector = new FeatureVector(bits);
  const rows = turns.map(({ exchange }) => {
    features(exchange, vector);
    return copyRow(vector);
  });
  const problem = (classes: number, penalty: number, target: (turn: LabelledExchange) => number): Problem => {
    const used = turns.flatMap((turn, at) => (target(turn) < 0 ? [] : [at]));
    const examples = used.map((at): Example => ({ row: rows[at]!, target: target(turns[at]!), weight: 1 }));
    return { examples, folds: used.map((at) => folds[at]!), classes, buckets: vector.buckets, l2: penalty };
  };
  const labels = problem(LABELS.length, l2.labels, ({ label }) => LABELS.indexOf(label));
  const rubrics = problem(RUBRICS.length, l2.rubrics, ({ label, rubric }) =>
    label === 'dsat' ? RUBRICS.indexOf(rubric ?? 'other') : -1,
  );
  return {
    labelScores: outOfFoldScores(labels, (fold) => say(`${name} stage: labels, fold ${fold + 1}`)),
    rubricScores: outOfFoldScores(rubrics, (fold) => say(`${name} stage: rubrics, fold ${fold + 1}`)),
    labels: trainAndRound(labels),
    rubrics: trainAndRound(rubrics),
  };
}

function trainAndRound(problem: Problem): QuantisedOutput {
  const { classes, weights, bias } = train(problem);
  return quantise(classes, weights, bias);
}
