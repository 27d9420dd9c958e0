import { groupBy } from '../../group-by.js';
import { type Interval, middle, resamples } from './bootstrap.js';
import { operating, scoredFor } from './judged.js';
import type { EvaluatedTurn, LabelledTurn } from './labelled-turn.js';
import { languageOf } from './language-of.js';
import { Ranking } from './metrics.js';

/** Figures of dsat on the turns that have something in common. */
export interface Slice {
  name: string;
  turns: number;
  /** Turns labelled dsat. */
  dsat: number;
  /** null where no turn of the slice is dsat. */
  averagePrecision: number | null;
  averagePrecision95: Interval | null;
  precision: number;
  recall: number;
  f1: number;
}

/** Turns are told apart by the name that this gives them. */
export type SliceBy = (turn: LabelledTurn) => string;

/** Below so many turns a language or a cohort is one of the others. */
const FEWEST = 10;
const OTHERS = 'others';

/** Characters (UTF-16 units) of the user's turn. */
const byLength = bins('characters', [20, 80, 320, 1_280], ({ exchange }) => exchange.userTurn.length);
/** Index of the turn in its conversation. */
const byPosition = bins('turn', [4, 10, 30], ({ turn }) => turn);

/** By language, length, position, and each of the fields of the metadata that are named. */
export function slicesOf(turns: EvaluatedTurn[], fields: string[]): Record<string, Slice[]> {
  const ways: [string, SliceBy][] = [
    ['language', languageOf],
    ...fields.map((field): [string, SliceBy] => [field, ({ metadata }) => metadata[field] ?? 'not given']),
  ];
  return {
    length: byLength.names.flatMap((name) => sliceWhere(turns, name, byLength.of)),
    position: byPosition.names.flatMap((name) => sliceWhere(turns, name, byPosition.of)),
    ...Object.fromEntries(ways.map(([way, by]) => [way, slicesBy(turns, by)])),
  };
}

/** The largest first, the small ones together at the end. */
function slicesBy(turns: EvaluatedTurn[], by: SliceBy): Slice[] {
  const groups = [...groupBy(turns, by)].sort(([, a], [, b]) => b.length - a.length);
  const large = groups.filter(([, group]) => group.length >= FEWEST);
  const others = groups.slice(large.length).flatMap(([, group]) => group);
  return [...large.map(([name, group]) => slice(name, group)), ...(others.length > 0 ? [slice(OTHERS, others)] : [])];
}

function sliceWhere(turns: EvaluatedTurn[], name: string, by: SliceBy): Slice[] {
  const group = turns.filter((turn) => by(turn) === name);
  return group.length > 0 ? [slice(name, group)] : [];
}

function slice(name: string, turns: EvaluatedTurn[]): Slice {
  const dsat = turns.filter(({ label }) => label === 'dsat').length;
  const ranking = new Ranking(scoredFor('dsat', turns));
  const measure = () => middle(resamples(turns).map((weights) => ranking.averagePrecision(weights)));
  return {
    name,
    turns: turns.length,
    dsat,
    averagePrecision: dsat > 0 ? ranking.averagePrecision() : null,
    averagePrecision95: dsat > 0 ? measure() : null,
    ...operating('dsat', turns),
  };
}

/** Bins of a number, each from one bound until before the next. */
function bins(unit: string, bounds: number[], numberOf: (turn: LabelledTurn) => number) {
  const last = bounds.at(-1)!;
  const names = [
    `${unit} under ${bounds[0]}`,
    ...bounds.slice(1).map((bound, at) => `${unit} ${bounds[at]} to ${bound - 1}`),
    `${unit} ${last} and more`,
  ];
  const of: SliceBy = (turn) => names[bounds.filter((bound) => numberOf(turn) >= bound).length]!;
  return { names, of };
}
