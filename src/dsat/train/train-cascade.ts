import type { EncoderScores } from '../encoder/encoder-session.js';
import { addScores } from '../encoder/encoder-stage.js';
import { type AbstentionFigures, abstentionFigures } from '../evaluation/abstention.js';
import { type Decided, type Figures, figuresOf } from '../evaluation/figures.js';
import { rubricAccuracy } from '../evaluation/rubrics.js';
import { firstStageFeatures } from '../first-stage-features.js';
import type { QuantisedOutput } from '../linear-output.js';
import { secondStageFeatures } from '../second-stage-features.js';
import type { EncoderShare, StageModel } from '../stage-model.js';
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
  rubricFigures,
  type Way,
} from './measure-cascade.js';
import { type TrainedStage, trainStage } from './train-stage.js';

/** Features of each stage are hashed into two to this power of buckets. */
const BITS = { first: 16, second: 18 };

/** Of the linear model in the second stage. From 1 to 3 the figures hardly change; each alone is 0.04 to 0.09 worse. */
const LINEAR_SHARE: EncoderShare['linear'] = { labels: 1.5, rubrics: 1 };

/** A trained encoder: its files, and what it made of each labelled turn out of fold, in their order; of `random` ones at least. */
export interface TrainedEncoder {
  sha256: EncoderShare['sha256'];
  scores: (EncoderScores | null)[];
}

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

/** Trains the linear models of both stages. */
export function trainLinear(
  turns: LabelledExchange[],
  frequentTokens: number[],
  onProgress: (what: string) => void,
): Record<StageName, TrainedStage> {
  const folds = turns.map(({ conversation }) => foldOf(conversation));
  const train = (name: StageName, features: typeof firstStageFeatures) =>
    trainStage(turns, folds, { features, bits: BITS[name] }, (what) => onProgress(`${name} stage: ${what}`));
  return {
    first: train('first', firstStageFeatures),
    second: train('second', secondStageFeatures(new Set(frequentTokens))),
  };
}

/** Fits what is between the trained parts, and measures the whole. */
export function joinCascade(
  turns: LabelledExchange[],
  trained: Record<StageName, TrainedStage>,
  encoder: TrainedEncoder,
  frequentTokens: number[],
): TrainedCascade {
  const natural = naturalTurns(turns, trained, encoder);
  const { calibrations, decisions, rubricShifts } = fitCascade(natural);
  const examples = examplesOf(natural, calibrations);
  const chosenBand = chooseBand(examples, decisions);
  const decided = crossFitted(natural, chosenBand.band);
  const model = (name: StageName): StageModel => ({
    bits: BITS[name],
    frequentTokens: name === 'second' ? frequentTokens : [],
    labels: trained[name].labels,
    rubrics: withShift(trained[name].rubrics, rubricShifts[name], name === 'second' ? LINEAR_SHARE.rubrics : 1),
    calibration: calibrations[name],
    decision: decisions[name],
    band: name === 'first' ? chosenBand.band : null,
    encoder: name === 'second' ? { sha256: encoder.sha256, linear: LINEAR_SHARE } : null,
  });
  return {
    models: { first: model('first'), second: model('second') },
    figures: {
      first: figuresOf(decided.first),
      second: figuresOf(decided.second),
      cascade: figuresOf(decided.cascade),
    },
    abstention: abstentionFigures(decided.cascade),
    rubrics: rubricFigures(decided),
    rubricAccuracy: { first: rubricAccuracy(decided.first)!, second: rubricAccuracy(decided.second)! },
    chosenBand,
    bands: frontier(measureBands(examples, decisions)),
    decided: decided.cascade,
  };
}

function naturalTurns(
  turns: LabelledExchange[],
  { first, second }: Record<StageName, TrainedStage>,
  encoder: TrainedEncoder,
): NaturalTurn[] {
  return turns.flatMap((turn, at) => {
    if (turn.stratum !== 'random') return [];
    const { labels, rubrics } = encoder.scores[at]!;
    return {
      ...turn,
      fold: foldOf(turn.conversation),
      scores: {
        first: first.labelScores[at]!,
        second: addScores(labels, second.labelScores[at]!, LINEAR_SHARE.labels),
      },
      rubricScores: {
        first: first.rubricScores[at]!,
        second: addScores(rubrics, second.rubricScores[at]!, LINEAR_SHARE.rubrics),
      },
    };
  });
}

/** What is added to the scores of a stage, put into its linear model, which counts `share` there. */
function withShift(rubrics: QuantisedOutput, shift: number[], share: number): QuantisedOutput {
  return { ...rubrics, bias: rubrics.bias.map((bias, at) => bias + shift[at]! / share) };
}
