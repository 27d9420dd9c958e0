import { type AbstentionFigures, abstentionFigures } from '../evaluation/abstention.js';
import { type Decided, type Figures, figuresOf } from '../evaluation/figures.js';
import { firstStageFeatures } from '../first-stage-features.js';
import { secondStageFeatures } from '../second-stage-features.js';
import type { StageModel } from '../stage-model.js';
import type { Rubric } from '../verdict.js';
import { chooseBand, frontier, type MeasuredBand, measureBands } from './bands.js';
import { foldOf } from './cross-validation.js';
import type { StageName } from './fit-decision.js';
import type { LabelledExchange } from './labelled-exchanges.js';
import {
  crossFitted,
  examplesOf,
  fitCascade,
  type NaturalTurn,
  type RubricFigures,
  rubricAccuracy,
  rubricFigures,
  type Way,
} from './measure-cascade.js';
import { type TrainedStage, trainStage } from './train-stage.js';

/** Features of each stage are hashed into two to this power of buckets. */
const BITS = { first: 16, second: 18 };

export interface TrainedCascade {
  models: Record<StageName, StageModel>;
  /** Out of fold at natural rates. */
  figures: Record<Way, Figures>;
  abstention: AbstentionFigures;
  rubrics: Record<Rubric, RubricFigures>;
  rubricAccuracy: Record<StageName, number>;
  chosenBand: MeasuredBand;
  bands: MeasuredBand[];
  /** What the cascade decides of each turn that was measured. */
  decided: Decided[];
}

/** Trains both stages, fits what is between them, and measures the whole. */
export function trainCascade(
  turns: LabelledExchange[],
  frequentTokens: number[],
  onProgress: (what: string) => void,
): TrainedCascade {
  const folds = turns.map(({ conversation }) => foldOf(conversation));
  const train = (name: StageName, features: typeof firstStageFeatures) =>
    trainStage(turns, folds, { features, bits: BITS[name] }, (what) => onProgress(`${name} stage: ${what}`));
  const trained = {
    first: train('first', firstStageFeatures),
    second: train('second', secondStageFeatures(new Set(frequentTokens))),
  };
  const natural = naturalTurns(turns, folds, trained);
  const { calibrations, decisions } = fitCascade(natural);
  const examples = examplesOf(natural, calibrations);
  const chosenBand = chooseBand(examples, decisions);
  const decided = crossFitted(natural, chosenBand.band);
  const model = (name: StageName): StageModel => ({
    bits: BITS[name],
    frequentTokens: name === 'second' ? frequentTokens : [],
    labels: trained[name].labels,
    rubrics: trained[name].rubrics,
    calibration: calibrations[name],
    decision: decisions[name],
    band: name === 'first' ? chosenBand.band : null,
  });
  return {
    models: { first: model('first'), second: model('second') },
    figures: {
      first: figuresOf(decided.first),
      second: figuresOf(decided.second),
      cascade: figuresOf(decided.cascade),
    },
    abstention: abstentionFigures(decided.cascade),
    rubrics: rubricFigures(natural, decided.cascade),
    rubricAccuracy: { first: rubricAccuracy(natural, 'first'), second: rubricAccuracy(natural, 'second') },
    chosenBand,
    bands: frontier(measureBands(examples, decisions)),
    decided: decided.cascade,
  };
}

function naturalTurns(
  turns: LabelledExchange[],
  folds: number[],
  { first, second }: Record<StageName, TrainedStage>,
): NaturalTurn[] {
  return turns.flatMap((turn, at) =>
    turn.stratum === 'random'
      ? [
          {
            ...turn,
            fold: folds[at]!,
            scores: { first: first.labelScores[at]!, second: second.labelScores[at]! },
            named: { first: first.rubricNames[at]!, second: second.rubricNames[at]! },
          },
        ]
      : [],
  );
}
