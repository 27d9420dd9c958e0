import { uniform } from '../seeds.js';

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of unsorted values, between neighbours linearly (as NumPy's default); NaN for none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export interface Interval {
  low: number;
  high: number;
}

const RESAMPLES = 2_000;

/**
 * 95 % percentile bootstrap interval of the mean, resampling whole groups: the pairs of one anchor stay together,
 * because they are not independent of each other.
 */
export function bootstrapMean(groups: readonly (readonly number[])[], seed: number): Interval {
  const totals = groups.map((group) => ({ sum: group.reduce((sum, value) => sum + value, 0), count: group.length }));
  const next = uniform(seed);
  const means = Array.from({ length: RESAMPLES }, () => {
    let [sum, count] = [0, 0];
    for (let draw = 0; draw < totals.length; draw++) {
      const group = totals[Math.floor(next() * totals.length)]!;
      sum += group.sum;
      count += group.count;
    }
    return sum / count;
  });
  return { low: quantile(means, 0.025), high: quantile(means, 0.975) };
}
