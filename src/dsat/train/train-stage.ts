import { FeatureVector } from '../feature-vector.js';
import { type QuantisedOutput, quantise } from '../linear-output.js';
import type { Features } from '../linear-stage.js';
import { LABELS, RUBRICS, type Rubric } from '../verdict.js';
import { outOfFoldScores, type Problem, train } from './cross-validation.js';
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
  /** Of each turn the rubric that such a model gives it, whether or not it is dsat. */
  rubricNames: Rubric[];
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
  const rubricScores = outOfFoldScores(rubrics, (fold) => onTrained(`rubrics, fold ${fold + 1}`));
  return {
    labelScores: outOfFoldScores(labels, (fold) => onTrained(`labels, fold ${fold + 1}`)),
    rubricNames: rubricScores.map((scores) => RUBRICS[scores.indexOf(Math.max(...scores))]!),
    labels: trainAndRound(labels),
    rubrics: trainAndRound(rubrics),
  };
}

/** Of turns that were labelled with low confidence, about so many are of each label (dsat, sat, neutral). */
const DOUBTFUL = [0.4, 0.05, 0.55];
const DOUBT = 0.4;

/** A label given with low confidence counts in part as not known: out of fold that is worth 0.008 of average precision. */
function labelTarget({ label, confidence }: LabelledExchange): number[] {
  const doubt = confidence === 'low' ? DOUBT : 0;
  return LABELS.map((of, at) => (of === label ? 1 - doubt : 0) + doubt * DOUBTFUL[at]!);
}

/** Turns drawn at natural rates count more, those picked because a first baseline was unsure of them less. */
function weightOf({ stratum }: LabelledExchange): number {
  return stratum === 'random' ? 2 : stratum === 'uncertain' ? 0.6 : 1;
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
