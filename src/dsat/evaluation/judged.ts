import type { Label } from '../verdict.js';
import { harmonic, type Scored, type Weights } from './metrics.js';

export type Probabilities = Record<Label, number>;

/** A labelled turn with the probabilities that a classifier gave it. */
export interface JudgedExample {
  label: Label;
  probabilities: Probabilities;
}

export function scoredFor(label: Label, judged: JudgedExample[]): Scored[] {
  return judged.map(({ label: actual, probabilities }) => ({
    score: probabilities[label],
    positive: actual === label,
  }));
}

interface DecidedLabel {
  label: Label;
  decided: Label;
}

/** Precision, recall and F1 of one label under given decisions. */
export function operating(label: Label, turns: DecidedLabel[], weights?: Weights) {
  const count = (is: (turn: DecidedLabel) => boolean) =>
    turns.reduce((sum, turn, at) => (is(turn) ? sum + (weights?.[at] ?? 1) : sum), 0);
  const both = count((turn) => turn.label === label && turn.decided === label);
  const claimed = count(({ decided }) => decided === label);
  const actual = count((turn) => turn.label === label);
  const [precision, recall] = [both / Math.max(1, claimed), both / Math.max(1, actual)];
  return { precision, recall, f1: harmonic(precision, recall) };
}
