import { FeatureVector } from '../feature-vector.js';
import { type QuantisedOutput, quantise } from '../linear-output.js';
import type { Features } from '../linear-stage.js';
import { LABELS, RUBRICS } from '../verdict.js';
import { outOfFoldScores, type Problem, train } from './cross-validation.js';
import { labelTarget } from './label-target.js';
import type { LabelledExchange } from './labelled-exchanges.js';
import { copyRow, type Example, type Row } from './logistic-regression.js';

export interface StageSettings {
  features: Features;
  /** Buckets are two to this power. */
  bits: number;
}

export interface TrainedStage {
  labels: QuantisedOutput;
  rubrics: QuantisedOutput;
  /** Of each turn, by a model that saw no turn of its conversation. */
  labelScores: Float64Array[];
  /** The same of the rubrics. */
  rubricScores: Float64Array[];
}

const L2 = 0.8;

/** Trains both outputs of a stage, once for each fold and once on everything. */
export function trainStage(
  turns: LabelledExchange[],
  folds: number[],
  { features, bits }: StageSettings,
  onTrained: (what: string) => void,
): TrainedStage {
  const vector = new FeatureVector(bits);
  const rows = turns.map(({ exchange }) => {
    features(exchange, vector);
    return copyRow(vector);
  });
  const shared = { buckets: vector.buckets, l2: L2 };
  const labels: Problem = {
    ...shared,
    classes: LABELS.length,
    folds,
    examples: turns.map((turn, at) => ({ row: rows[at]!, target: labelTarget(turn), weight: weightOf(turn) })),
  };
  const rubrics: Problem = {
    ...shared,
    classes: RUBRICS.length,
    folds,
    examples: turns.map((turn, at) => rubricExample(turn, rows[at]!)),
  };
  return {
    labelScores: outOfFoldScores(labels, (fold) => onTrained(`labels, fold ${fold + 1}`)),
    rubricScores: outOfFoldScores(rubrics, (fold) => onTrained(`rubrics, fold ${fold + 1}`)),
    labels: trainAndRound(labels),
    rubrics: trainAndRound(rubrics),
  };
}

/** Turns drawn at natural rates count more, those picked because a first baseline was unsure of them less. */
function weightOf({ stratum }: LabelledExchange): number {
  if (stratum === 'random' || stratum === 'more-random') return 2;
  return stratum === 'uncertain' || stratum === 'more-uncertain' ? 0.6 : 1;
}

/** Only what is dsat has a rubric to learn from. */
function rubricExample({ label, rubric }: LabelledExchange, row: Row): Example {
  const target = RUBRICS.map((name) => Number(name === (rubric ?? 'other')));
  return { row, target, weight: Number(label === 'dsat') };
}

function trainAndRound(problem: Problem): QuantisedOutput {
  const { classes, weights, bias } = train(problem);
  return quantise(classes, weights, bias);
}
