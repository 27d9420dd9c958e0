import type { Label } from '../verdict.js';
import { harmonic, type Scored } from './metrics.js';

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

/** Precision, recall and F1 of one label under given decisions. */
export function operating(label: Label, turns: { label: Label; decided: Label }[]) {
  const count = (is: (turn: { label: Label; decided: Label }) => boolean) => turns.filter(is).length;
  const both = count((turn) => turn.label === label && turn.decided === label);
  const precision =
    both /
    Math.max(
      1,
      count(({ decided }) => decided === label),
    );
  const recall =
    both /
    Math.max(
      1,
      count((turn) => turn.label === label),
    );
  return { precision, recall, f1: harmonic(precision, recall) };
}
