import { decide, isUncertain } from '../linear-stage.js';
import type { Band, Decision } from '../stage-model.js';
import type { Label } from '../verdict.js';
import { averagePrecision, bestF1, harmonic, type Operating } from './metrics.js';

export type Probabilities = Record<Label, number>;

/** One turn with the probabilities that a stage gave it out of fold. */
export interface JudgedExample {
  label: Label;
  probabilities: Probabilities;
}

/** The thresholds at which F1 of dsat, and then of sat among the rest, is best. */
export function fitDecision(judged: JudgedExample[]): Decision {
  const dsat = bestF1(scoredFor('dsat', judged)).threshold;
  const rest = judged.filter(({ probabilities }) => probabilities.dsat < dsat);
  return { dsat, sat: bestF1(scoredFor('sat', rest)).threshold };
}

export function scoredFor(label: Label, judged: JudgedExample[]) {
  return judged.map(({ label: actual, probabilities }) => ({
    score: probabilities[label],
    positive: actual === label,
  }));
}

/** Precision, recall and F1 of one label under given decisions. */
export function operating(label: Label, actual: Label[], decided: Label[]): Omit<Operating, 'threshold'> {
  const said = decided.filter((value) => value === label).length;
  const is = actual.filter((value) => value === label).length;
  const both = actual.filter((value, at) => value === label && decided[at] === label).length;
  const precision = said === 0 ? 0 : both / said;
  const recall = is === 0 ? 0 : both / is;
  return { precision, recall, f1: harmonic(precision, recall) };
}

/** A turn as both stages judged it out of fold. */
export interface CascadeExample {
  label: Label;
  first: Probabilities;
  second: Probabilities;
}

export interface Decisions {
  first: Decision;
  second: Decision;
}

export interface CascadeFigures {
  /** Share of the turns that the second stage decides. */
  provisional: number;
  averagePrecision: number;
  f1: number;
  satF1: number;
}

/** What the cascade decides of a turn, and with which probabilities. */
export function throughCascade({ first, second }: CascadeExample, band: Band, decisions: Decisions) {
  return isUncertain(first, band)
    ? { probabilities: second, label: decide(second, decisions.second), provisional: true }
    : { probabilities: first, label: decide(first, decisions.first), provisional: false };
}

export function cascadeFigures(examples: CascadeExample[], band: Band, decisions: Decisions): CascadeFigures {
  const results = examples.map((example) => throughCascade(example, band, decisions));
  const actual = examples.map(({ label }) => label);
  const decided = results.map(({ label }) => label);
  const judged = results.map(({ probabilities }, at) => ({ label: actual[at]!, probabilities }));
  return {
    provisional: results.filter(({ provisional }) => provisional).length / examples.length,
    averagePrecision: averagePrecision(scoredFor('dsat', judged)),
    f1: operating('dsat', actual, decided).f1,
    satF1: operating('sat', actual, decided).f1,
  };
}

const DSAT_FROM = [0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15];
const DSAT_TO = [0.8, 0.85, 0.9, 0.95, 1];
const SAT_FROM = [0.02, 0.05, 0.1, 0.2];
const SAT_TO = [0.8, 0.9, 1];

export interface MeasuredBand extends CascadeFigures {
  band: Band;
}

/** Every band of the grid, by the share that it leaves to the second stage. */
export function measureBands(examples: CascadeExample[], decisions: Decisions): MeasuredBand[] {
  const bands = DSAT_FROM.flatMap((from) =>
    DSAT_TO.flatMap((to) =>
      SAT_FROM.flatMap((satFrom) => SAT_TO.map((satTo): Band => ({ dsat: [from, to], sat: [satFrom, satTo] }))),
    ),
  );
  return bands
    .map((band) => ({ band, ...cascadeFigures(examples, band, decisions) }))
    .sort((a, b) => a.provisional - b.provisional);
}

/** What the cascade may lose against the second stage alone, in each of its figures. */
const TOLERATED_LOSS = 0.005;

/** The band that leaves the fewest turns to the second stage without losing more than is tolerated. */
export function chooseBand(measured: MeasuredBand[], alone: CascadeFigures): MeasuredBand {
  const good = measured.find(
    (band) =>
      band.averagePrecision >= alone.averagePrecision - TOLERATED_LOSS &&
      band.f1 >= alone.f1 - TOLERATED_LOSS &&
      band.satF1 >= alone.satF1 - TOLERATED_LOSS,
  );
  return good ?? measured.at(-1)!;
}

/** A band that leaves every turn to the second stage. */
export const EVERYTHING: Band = { dsat: [-1, 2], sat: [-1, 2] };
