import { probabilitiesOf } from '../decide-verdict.js';
import type { Decided } from '../evaluation/figures.js';
import type { Band, Calibration, Decision } from '../stage-model.js';
import { LABELS, RUBRICS, type Rubric } from '../verdict.js';
import { FOLDS } from './cross-validation.js';
import { fitCalibration } from './fit-calibration.js';
import {
  type CascadeExample,
  EVERYTHING,
  fitDecision,
  NOTHING,
  type StageName,
  throughCascade,
} from './fit-decision.js';
import type { LabelledExchange } from './labelled-exchanges.js';

/** A labelled turn of the stratum that was drawn at natural rates, with what the stages made of it out of fold. */
export interface NaturalTurn extends LabelledExchange {
  fold: number;
  scores: Record<StageName, Float64Array>;
  /** Its rubric as each stage sees it, were it dsat. */
  named: Record<StageName, Rubric>;
}

export interface Fitted {
  calibrations: Record<StageName, Calibration>;
  decisions: Record<StageName, Decision>;
}

/** Calibration and thresholds of both stages. */
export function fitCascade(turns: NaturalTurn[]): Fitted {
  const calibration = (name: StageName) =>
    fitCalibration(
      turns.map(({ scores, label }) => ({ scores: scores[name], target: LABELS.indexOf(label) })),
      LABELS.length,
    );
  const calibrations = { first: calibration('first'), second: calibration('second') };
  const examples = examplesOf(turns, calibrations);
  const decision = (name: StageName) =>
    fitDecision(examples.map((example) => ({ label: example.label, probabilities: example[name] })));
  return { calibrations, decisions: { first: decision('first'), second: decision('second') } };
}

export function examplesOf(turns: NaturalTurn[], calibrations: Fitted['calibrations']): CascadeExample[] {
  return turns.map(({ label, scores }) => ({
    label,
    first: probabilitiesOf(scores.first, calibrations.first),
    second: probabilitiesOf(scores.second, calibrations.second),
  }));
}

export type Way = StageName | 'cascade';

export interface DecidedInTurn extends Decided {
  abstained: boolean;
  /** The most probable rubric by the stage that decided, whatever it decided. */
  named: Rubric;
}

/**
 * What each stage alone and the cascade decide of each turn, with calibration and thresholds fitted on the other folds,
 * in the order of the turns. Only the band is fitted on all of them.
 */
export function crossFitted(turns: NaturalTurn[], band: Band): Record<Way, DecidedInTurn[]> {
  const fitted = Array.from({ length: FOLDS }, (_, fold) => fitCascade(turns.filter((turn) => turn.fold !== fold)));
  const decide = (within: Band) =>
    turns.map((turn): DecidedInTurn => {
      const { calibrations, decisions } = fitted[turn.fold]!;
      const [example] = examplesOf([turn], calibrations);
      const { conversation, confidence, rubric } = turn;
      const way = throughCascade(example!, within, decisions);
      return { conversation, confidence, rubric, ...way, named: turn.named[way.provisional ? 'second' : 'first'] };
    });
  return { first: decide(NOTHING), second: decide(EVERYTHING), cascade: decide(band) };
}

export interface RubricFigures {
  turns: number;
  /** Share of its turns that the cascade calls dsat. */
  found: number;
  /** Share of its turns to which the second stage gives this rubric. */
  named: number;
  /** Of the turns that the cascade calls dsat for this rubric without abstaining: how many, and how many are labelled dsat. */
  anchors: number;
  right: number;
}

/** Of the turns labelled dsat, by their rubric; and of those decided dsat, by the rubric that is given. */
export function rubricFigures(turns: NaturalTurn[], cascade: DecidedInTurn[]): Record<Rubric, RubricFigures> {
  const figures = RUBRICS.map((rubric): [Rubric, RubricFigures] => {
    const of = turns.flatMap((turn, at) => (turn.label === 'dsat' && turn.rubric === rubric ? [at] : []));
    const anchors = cascade.filter((turn) => turn.decided === 'dsat' && !turn.abstained && turn.named === rubric);
    const share = (is: (at: number) => boolean) => of.filter(is).length / Math.max(1, of.length);
    return [
      rubric,
      {
        turns: of.length,
        found: share((at) => cascade[at]!.decided === 'dsat'),
        named: share((at) => turns[at]!.named.second === rubric),
        anchors: anchors.length,
        right: anchors.filter(({ label }) => label === 'dsat').length,
      },
    ];
  });
  return Object.fromEntries(figures) as Record<Rubric, RubricFigures>;
}
