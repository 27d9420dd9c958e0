import { firstStageFeatures } from '../first-stage-features.js';
import { calibrate } from '../linear-stage.js';
import { secondStageFeatures } from '../second-stage-features.js';
import type { Calibration, StageModel } from '../stage-model.js';
import { LABELS, type Label, RUBRICS, type Rubric } from '../verdict.js';
import { FOLDS, foldOf } from './cross-validation.js';
import { type Decided, type Figures, figuresOf } from './figures.js';
import { fitCalibration } from './fit-calibration.js';
import {
  type CascadeExample,
  cascadeFigures,
  chooseBand,
  type Decisions,
  EVERYTHING,
  fitDecision,
  type MeasuredBand,
  measureBands,
  type Probabilities,
  throughCascade,
} from './fit-decision.js';
import type { LabelledExchange } from './labelled-exchanges.js';
import { type StageSettings, type TrainedStage, trainStage } from './train-stage.js';

export const STAGES = {
  first: { name: 'first', features: firstStageFeatures, bits: 16, l2: { labels: 0.5, rubrics: 0.5 } },
  second: { name: 'second', features: secondStageFeatures, bits: 18, l2: { labels: 0.5, rubrics: 0.5 } },
} satisfies Record<string, StageSettings>;

type StageName = keyof typeof STAGES;

export interface RubricFigures {
  turns: number;
  /** Share of its dsat turns that are decided dsat. */
  found: number;
  /** Share of its dsat turns whose most probable rubric it is. */
  named: number;
}

export interface TrainedCascade {
  models: Record<StageName, StageModel>;
  /** Out of fold, at natural rates; calibration and thresholds fitted on the other folds. */
  figures: Record<StageName | 'cascade', Figures>;
  rubrics: Record<string, RubricFigures>;
  /** Share of dsat turns whose rubric the stage names right, at natural rates. */
  rubricAccuracy: Record<StageName, number>;
  bands: MeasuredBand[];
  chosen: MeasuredBand;
  decided: Decided[];
}

/** The stratum that was drawn at natural rates: what is measured is measured on it. */
const NATURAL = 'random';

export function trainCascade(turns: LabelledExchange[], say: (what: string) => void): TrainedCascade {
  const folds = turns.map(({ conversation }) => foldOf(conversation));
  const trained = {
    first: trainStage(turns, folds, STAGES.first, say),
    second: trainStage(turns, folds, STAGES.second, say),
  };
  const natural = turns.flatMap(({ stratum }, at) => (stratum === NATURAL ? [at] : []));
  const fitted = fit(turns, trained, natural);
  const examples = examplesOf(turns, trained, natural, fitted.calibrations);
  const bands = measureBands(examples, fitted.decisions);
  const chosen = chooseBand(bands, cascadeFigures(examples, EVERYTHING, fitted.decisions));
  const model = (name: StageName): StageModel => ({
    bits: STAGES[name].bits,
    labels: trained[name].labels,
    rubrics: trained[name].rubrics,
    calibration: fitted.calibrations[name],
    decision: fitted.decisions[name],
    band: name === 'first' ? chosen.band : null,
  });
  const decided = crossFitted(turns, trained, natural, folds, chosen);
  return {
    models: { first: model('first'), second: model('second') },
    figures: {
      first: figuresOf(decided.first),
      second: figuresOf(decided.second),
      cascade: figuresOf(decided.cascade),
    },
    rubrics: rubricFigures(turns, trained.second, decided.second, natural),
    rubricAccuracy: {
      first: rubricAccuracy(turns, trained.first),
      second: rubricAccuracy(turns, trained.second),
    },
    bands,
    chosen,
    decided: decided.cascade,
  };
}

type Trained = Record<StageName, TrainedStage>;
type Calibrations = Record<StageName, Calibration>;

/** Calibrations and thresholds of both stages from the out-of-fold scores of the turns at `used`. */
function fit(
  turns: LabelledExchange[],
  trained: Trained,
  used: number[],
): { calibrations: Calibrations; decisions: Decisions } {
  const calibration = (name: StageName) =>
    fitCalibration(
      used.map((at) => ({ scores: trained[name].labelScores[at]!, target: LABELS.indexOf(turns[at]!.label) })),
      LABELS.length,
    );
  const calibrations = { first: calibration('first'), second: calibration('second') };
  const examples = examplesOf(turns, trained, used, calibrations);
  const decision = (name: StageName) =>
    fitDecision(examples.map((example) => ({ label: example.label, probabilities: example[name] })));
  return { calibrations, decisions: { first: decision('first'), second: decision('second') } };
}

function examplesOf(
  turns: LabelledExchange[],
  trained: Trained,
  used: number[],
  calibrations: Calibrations,
): CascadeExample[] {
  const probabilities = (name: StageName, at: number): Probabilities => {
    const [dsat, sat, neutral] = calibrate(trained[name].labelScores[at]!.slice(), calibrations[name]);
    return { dsat: dsat!, sat: sat!, neutral: neutral! };
  };
  return used.map((at) => ({
    label: turns[at]!.label,
    first: probabilities('first', at),
    second: probabilities('second', at),
  }));
}

/** What each stage, and the cascade, decides of each turn with everything fitted on the other folds; the band is given. */
function crossFitted(
  turns: LabelledExchange[],
  trained: Trained,
  natural: number[],
  folds: number[],
  { band }: MeasuredBand,
): Record<StageName | 'cascade', Decided[]> {
  const result = { first: [] as Decided[], second: [] as Decided[], cascade: [] as Decided[] };
  const nowhere = { dsat: [2, 2], sat: [2, 2] } satisfies MeasuredBand['band'];
  for (let fold = 0; fold < FOLDS; fold++) {
    const { calibrations, decisions } = fit(
      turns,
      trained,
      natural.filter((at) => folds[at] !== fold),
    );
    const used = natural.filter((at) => folds[at] === fold);
    examplesOf(turns, trained, used, calibrations).forEach((example, i) => {
      const { conversation, confidence, label } = turns[used[i]!]!;
      for (const [name, within] of [
        ['first', nowhere],
        ['second', EVERYTHING],
        ['cascade', band],
      ] as const) {
        const { probabilities, label: decided } = throughCascade(example, within, decisions);
        result[name].push({ conversation, confidence, label, probabilities, decided });
      }
    });
  }
  return result;
}

const dsatTurns = (turns: LabelledExchange[]) => turns.filter(({ label }) => label === 'dsat');

function named(turns: LabelledExchange[], { rubricScores }: TrainedStage): (LabelledExchange & { named: Rubric })[] {
  return dsatTurns(turns).map((turn, at) => {
    const scores = rubricScores[at]!;
    return { ...turn, named: RUBRICS[scores.indexOf(Math.max(...scores))]! };
  });
}

function rubricAccuracy(turns: LabelledExchange[], stage: TrainedStage): number {
  const natural = named(turns, stage).filter(({ stratum }) => stratum === NATURAL);
  return natural.filter((turn) => turn.named === turn.rubric).length / natural.length;
}

function rubricFigures(
  turns: LabelledExchange[],
  stage: TrainedStage,
  decided: Decided[],
  natural: number[],
): Record<string, RubricFigures> {
  const order = Array.from({ length: FOLDS }, (_, fold) =>
    natural.filter((at) => foldOf(turns[at]!.conversation) === fold),
  ).flat();
  const foundAt = new Map(order.map((at, i): [LabelledExchange, Label] => [turns[at]!, decided[i]!.decided]));
  const found = new Set(
    [...foundAt].flatMap(([turn, label]) => (label === 'dsat' ? [`${turn.conversation} ${turn.turn}`] : [])),
  );
  const judged = named(turns, stage).filter(({ stratum }) => stratum === NATURAL);
  return Object.fromEntries(
    RUBRICS.map((rubric) => {
      const of = judged.filter((turn) => turn.rubric === rubric);
      const share = (count: number) => (of.length === 0 ? 0 : count / of.length);
      return [
        rubric,
        {
          turns: of.length,
          found: share(of.filter((turn) => found.has(`${turn.conversation} ${turn.turn}`)).length),
          named: share(of.filter((turn) => turn.named === rubric).length),
        },
      ];
    }),
  );
}
