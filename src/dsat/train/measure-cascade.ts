import { likeliest, probabilitiesOf } from '../decide-verdict.js';
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
  rubricScores: Record<StageName, Float64Array>;
}

export interface Fitted {
  calibrations: Record<StageName, Calibration>;
  decisions: Record<StageName, Decision>;
  /** What is added to the scores of each stage's rubrics. */
  rubricShifts: Record<StageName, number[]>;
}

/** Calibration and thresholds of both stages, and how often each rubric is the reason. */
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
  return {
    calibrations,
    decisions: { first: decision('first'), second: decision('second') },
    rubricShifts: { first: rubricShift(turns, 'first'), second: rubricShift(turns, 'second') },
  };
}

/** Readers draw the borders of rubrics differently, and most of what is trained on is not by the one that figures are of. */
function rubricShift(turns: NaturalTurn[], name: StageName): number[] {
  const dsat = turns.flatMap(({ label, rubric, rubricScores }) =>
    label === 'dsat' && rubric ? [{ scores: rubricScores[name], target: RUBRICS.indexOf(rubric) }] : [],
  );
  const { scale, shift } = fitCalibration(dsat, RUBRICS.length);
  return shift.map((value) => value / scale);
}

function nameRubric(scores: Float64Array, shift: number[]): Rubric {
  return likeliest(scores.map((score, at) => score + shift[at]!));
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
      const { calibrations, decisions, rubricShifts } = fitted[turn.fold]!;
      const [example] = examplesOf([turn], calibrations);
      const { conversation, confidence, rubric } = turn;
      const way = throughCascade(example!, within, decisions);
      const stage = way.provisional ? 'second' : 'first';
      const named = nameRubric(turn.rubricScores[stage], rubricShifts[stage]);
      return { conversation, confidence, rubric, ...way, named };
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
export function rubricFigures({ cascade, second }: Record<Way, DecidedInTurn[]>): Record<Rubric, RubricFigures> {
  const figures = RUBRICS.map((rubric): [Rubric, RubricFigures] => {
    const of = cascade.flatMap((turn, at) => (turn.label === 'dsat' && turn.rubric === rubric ? [at] : []));
    const anchors = cascade.filter((turn) => turn.decided === 'dsat' && !turn.abstained && turn.named === rubric);
    const share = (is: (at: number) => boolean) => of.filter(is).length / Math.max(1, of.length);
    return [
      rubric,
      {
        turns: of.length,
        found: share((at) => cascade[at]!.decided === 'dsat'),
        named: share((at) => second[at]!.named === rubric),
        anchors: anchors.length,
        right: anchors.filter(({ label }) => label === 'dsat').length,
      },
    ];
  });
  return Object.fromEntries(figures) as Record<Rubric, RubricFigures>;
}
