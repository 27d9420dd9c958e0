import { LABELS, type Label, type Rubric } from '../verdict.js';
import { type JudgedExample, operating, scoredFor } from './judged.js';
import { calibrationError, Ranking, type Weights } from './metrics.js';

/** A turn with what the classifier made of it. */
export interface Decided extends JudgedExample {
  conversation: string;
  confidence: 'high' | 'low' | null;
  rubric: Rubric | null;
  decided: Label;
}

export interface LabelFigures {
  averagePrecision: number;
  precision: number;
  recall: number;
  f1: number;
  recallAtPrecision85: number;
  /** Expected calibration error of the label's probability, 15 bins of equal width. */
  ece: number;
}

export interface Figures {
  turns: number;
  dsat: LabelFigures;
  sat: LabelFigures;
  /** Average precision of dsat on the turns that were labelled with high confidence. */
  dsatAveragePrecisionHighConfidence: number;
  macroF1: number;
  /** `confusion[actual][decided]`, in turns. */
  confusion: Record<Label, Record<Label, number>>;
}

export function figuresOf(turns: Decided[]): Figures {
  return {
    turns: turns.length,
    ...measurer(turns)(),
    confusion: perLabel((label) =>
      perLabel((decided) => turns.filter((turn) => turn.label === label && turn.decided === decided).length),
    ),
  };
}

/** The figures of the turns that can be estimated, under weights: turns are sorted once for all of them. */
export function measurer(turns: Decided[]): (weights?: Weights) => Omit<Figures, 'turns' | 'confusion'> {
  const dsat = labelMeasurer('dsat', turns);
  const sat = labelMeasurer('sat', turns);
  const sure = turns.map(({ confidence }) => Number(confidence === 'high'));
  const ranking = new Ranking(scoredFor('dsat', turns));
  return (weights) => ({
    dsat: dsat(weights),
    sat: sat(weights),
    dsatAveragePrecisionHighConfidence: ranking.averagePrecision(sure.map((is, at) => is * (weights?.[at] ?? 1))),
    macroF1: LABELS.reduce((sum, label) => sum + operating(label, turns, weights).f1, 0) / LABELS.length,
  });
}

function labelMeasurer(label: Label, turns: Decided[]): (weights?: Weights) => LabelFigures {
  const scored = scoredFor(label, turns);
  const ranking = new Ranking(scored);
  return (weights) => ({
    averagePrecision: ranking.averagePrecision(weights),
    ...operating(label, turns, weights),
    recallAtPrecision85: ranking.recallAtPrecision(0.85, weights),
    ece: calibrationError(scored, weights),
  });
}

function perLabel<T>(of: (label: Label) => T): Record<Label, T> {
  return { dsat: of('dsat'), sat: of('sat'), neutral: of('neutral') };
}
