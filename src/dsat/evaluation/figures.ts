import { LABELS, type Label, type Rubric } from '../verdict.js';
import { type JudgedExample, operating, scoredFor } from './judged.js';
import { averagePrecision, calibrationError, recallAtPrecision } from './metrics.js';

/** A turn with what the classifier made of it. */
export interface Decided extends JudgedExample {
  conversation: string;
  confidence: 'high' | 'low';
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
  const sure = turns.filter(({ confidence }) => confidence === 'high');
  return {
    turns: turns.length,
    dsat: labelFigures('dsat', turns),
    sat: labelFigures('sat', turns),
    dsatAveragePrecisionHighConfidence: averagePrecision(scoredFor('dsat', sure)),
    macroF1: LABELS.reduce((sum, label) => sum + operating(label, turns).f1, 0) / LABELS.length,
    confusion: perLabel((label) =>
      perLabel((decided) => turns.filter((turn) => turn.label === label && turn.decided === decided).length),
    ),
  };
}

function labelFigures(label: Label, turns: Decided[]): LabelFigures {
  const scored = scoredFor(label, turns);
  return {
    averagePrecision: averagePrecision(scored),
    ...operating(label, turns),
    recallAtPrecision85: recallAtPrecision(scored, 0.85),
    ece: calibrationError(scored),
  };
}

function perLabel<T>(of: (label: Label) => T): Record<Label, T> {
  return { dsat: of('dsat'), sat: of('sat'), neutral: of('neutral') };
}
