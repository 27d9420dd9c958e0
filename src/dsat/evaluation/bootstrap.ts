import { uniform } from '../../seeds.js';
import type { Weights } from './metrics.js';

const SAMPLES = 1_000;

export type Interval = [low: number, high: number];

/** The middle 95 % of a figure over samples of whole conversations, drawn with replacement; the same every time. */
export function bootstrapInterval<T extends { conversation: string }>(
  turns: T[],
  figure: (turns: T[]) => number,
): Interval {
  const drawn = (weights: Weights) => turns.flatMap((turn, at) => new Array<T>(weights[at]!).fill(turn));
  return middle(resamples(turns).map((weights) => figure(drawn(weights))));
}

/** How often each turn is in each of the samples of whole conversations. */
export function resamples(turns: { conversation: string }[]): Weights[] {
  const number = new Map<string, number>();
  for (const { conversation } of turns) if (!number.has(conversation)) number.set(conversation, number.size);
  const conversationOf = turns.map(({ conversation }) => number.get(conversation)!);
  const random = uniform(1);
  return Array.from({ length: SAMPLES }, () => {
    const draws = new Uint16Array(number.size);
    for (let draw = 0; draw < draws.length; draw++) draws[Math.floor(random() * draws.length)]!++;
    return Uint16Array.from(conversationOf, (conversation) => draws[conversation]!);
  });
}

/** The middle 95 % of values. */
export function middle(values: number[]): Interval {
  const sorted = values.toSorted((a, b) => a - b);
  return [sorted[Math.floor(sorted.length * 0.025)]!, sorted[Math.ceil(sorted.length * 0.975) - 1]!];
}

export type Intervals<T> = {
  [K in keyof T]: T[K] extends number ? Interval : T[K] extends number | null ? Interval | null : Intervals<T[K]>;
};

/** The same object with the middle 95 % of each figure over the samples in its place; null where no sample has it. */
export function intervalsOf<T extends object>(samples: T[]): Intervals<T> {
  const entries = Object.keys(samples[0]!).map((key) => {
    const values = samples.map((sample) => sample[key as keyof T]).filter((value) => value !== null);
    if (values.length === 0) return [key, null];
    return [key, typeof values[0] === 'number' ? middle(values as number[]) : intervalsOf(values as object[])];
  });
  return Object.fromEntries(entries) as Intervals<T>;
}
