import { LABELS, type Label } from '../verdict.js';
import { type JudgedExample, operating, scoredFor } from './fit-decision.js';
import { averagePrecision, calibrationError, recallAtPrecision } from './metrics.js';

/** A turn with what the classifier made of it. */
export interface Decided extends JudgedExample {
  conversation: string;
  confidence: 'high' | 'low';
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
  const figures = Object.fromEntries(LABELS.map((label) => [label, labelFigures(label, turns)])) as Record<
    Label,
    LabelFigures
  >;
  const sure = turns.filter(({ confidence }) => confidence === 'high');
  return {
    turns: turns.length,
    dsat: figures.dsat,
    sat: figures.sat,
    dsatAveragePrecisionHighConfidence: averagePrecision(scoredFor('dsat', sure)),
    macroF1: LABELS.reduce((sum, label) => sum + figures[label].f1, 0) / LABELS.length,
    confusion: confusion(turns),
  };
}

function labelFigures(label: Label, turns: Decided[]): LabelFigures {
  const scored = scoredFor(label, turns);
  const actual = turns.map((turn) => turn.label);
  const decided = turns.map((turn) => turn.decided);
  return {
    averagePrecision: averagePrecision(scored),
    ...operating(label, actual, decided),
    recallAtPrecision85: recallAtPrecision(scored, 0.85),
    ece: calibrationError(scored),
  };
}

function confusion(turns: Decided[]): Figures['confusion'] {
  const count = (label: Label, decided: Label) =>
    turns.filter((turn) => turn.label === label && turn.decided === decided).length;
  const row = (label: Label) => Object.fromEntries(LABELS.map((decided) => [decided, count(label, decided)]));
  return Object.fromEntries(LABELS.map((label) => [label, row(label)])) as Figures['confusion'];
}

/** The middle 95 % of a figure over `times` samples of whole conversations with replacement; the same every time. */
export function bootstrap(turns: Decided[], figure: (turns: Decided[]) => number, times = 1_000): [number, number] {
  const byConversation = new Map<string, Decided[]>();
  for (const turn of turns)
    byConversation.set(turn.conversation, [...(byConversation.get(turn.conversation) ?? []), turn]);
  const conversations = [...byConversation.values()];
  const random = generator(1);
  const values = Array.from({ length: times }, () =>
    figure(conversations.flatMap(() => conversations[Math.floor(random() * conversations.length)]!)),
  ).sort((a, b) => a - b);
  return [values[Math.floor(times * 0.025)]!, values[Math.ceil(times * 0.975) - 1]!];
}

/** mulberry32: numbers from 0 to 1 that a seed repeats. */
function generator(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let hash = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    hash = (hash + Math.imul(hash ^ (hash >>> 7), 61 | hash)) ^ hash;
    return ((hash ^ (hash >>> 14)) >>> 0) / 2 ** 32;
  };
}
