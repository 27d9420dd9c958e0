import { type Interval, middle, resamples } from './bootstrap.js';
import { measurer } from './figures.js';
import type { EvaluatedTurn } from './labelled-turn.js';

export interface Difference {
  /** Of this classifier less that of the other. */
  value: number;
  interval95: Interval;
  /** Two-sided: how often a sample has the difference on the other side of 0, twice. */
  p: number;
}

/** Two classifiers on the same turns. */
export interface Comparison {
  /** Of the other one. */
  averagePrecision: number;
  f1: number;
  difference: { averagePrecision: Difference; f1: Difference };
  /** Whether turns are rightly called dsat or not dsat. */
  decisions: McNemar;
}

/** Both are measured on the same samples of conversations, so that what is hard for both does not blur the difference. */
export function compare(turns: EvaluatedTurn[], others: EvaluatedTurn[]): Comparison {
  const [measure, measureOther] = [measurer(turns), measurer(others)];
  const sampled = resamples(turns).map((weights) => [measure(weights).dsat, measureOther(weights).dsat] as const);
  const [own, other] = [measure().dsat, measureOther().dsat];
  const difference = (figure: 'averagePrecision' | 'f1'): Difference => {
    const differences = sampled.map(([a, b]) => a[figure] - b[figure]);
    return { value: own[figure] - other[figure], interval95: middle(differences), p: twoSided(differences) };
  };
  return {
    averagePrecision: other.averagePrecision,
    f1: other.f1,
    difference: { averagePrecision: difference('averagePrecision'), f1: difference('f1') },
    decisions: mcNemar(turns.map(isRight), others.map(isRight)),
  };
}

const isRight = ({ label, decided }: EvaluatedTurn) => (label === 'dsat') === (decided === 'dsat');

/** Never 0: more samples might have found one. */
function twoSided(differences: number[]): number {
  const shareOf = (is: (value: number) => boolean) => (differences.filter(is).length + 1) / (differences.length + 1);
  return Math.min(
    1,
    2 *
      Math.min(
        shareOf((value) => value <= 0),
        shareOf((value) => value >= 0),
      ),
  );
}

export interface McNemar {
  onlyThisRight: number;
  onlyOtherRight: number;
  /** Exact, two-sided: how probable so uneven a split is where both are equally good. */
  p: number;
}

/** McNemar's exact test (1947): only turns on which the two disagree tell them apart. */
export function mcNemar(right: boolean[], otherRight: boolean[]): McNemar {
  const onlyThisRight = right.filter((is, at) => is && !otherRight[at]).length;
  const onlyOtherRight = right.filter((is, at) => !is && otherRight[at]).length;
  const tail = binomialTail(Math.min(onlyThisRight, onlyOtherRight), onlyThisRight + onlyOtherRight);
  return { onlyThisRight, onlyOtherRight, p: Math.min(1, 2 * tail) };
}

/** Probability of at most `heads` in `tosses` of a fair coin; by logarithms, as 0.5 ** tosses may be too small. */
function binomialTail(heads: number, tosses: number): number {
  let log = -tosses * Math.LN2;
  let sum = Math.exp(log);
  for (let at = 1; at <= heads; at++) {
    log += Math.log((tosses - at + 1) / at);
    sum += Math.exp(log);
  }
  return sum;
}
