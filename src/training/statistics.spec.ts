import { expect, it } from 'vitest';
import { deriveSeed, uniform } from '../seeds.js';
import { summarizeMargins } from './rewards.js';
import { bootstrapMean, quantile } from './statistics.js';

it('interpolates quantiles as NumPy does', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([1, 2, 3, 4, 5], 0.1)).toBeCloseTo(1.4, 12);
  expect(quantile([7], 0.9)).toBe(7);
  expect(quantile([], 0.5)).toBeNaN();
});

it('gives an interval that a normal approximation agrees with', () => {
  const next = uniform(3);
  const values = Array.from({ length: 400 }, () => [next()]);
  const { low, high } = bootstrapMean(values, 1);
  const error = Math.sqrt(1 / 12 / 400);
  expect(high - low).toBeGreaterThan(2 * 1.96 * error * 0.85);
  expect(high - low).toBeLessThan(2 * 1.96 * error * 1.15);
  expect(low).toBeLessThan(0.5);
  expect(high).toBeGreaterThan(0.5);
});

it('keeps the pairs of an anchor together, so that repeating them narrows nothing', () => {
  const values = Array.from({ length: 20 }, (_, index) => Math.sin(index));
  const single = bootstrapMean(
    values.map((value) => [value]),
    5,
  );
  const repeated = bootstrapMean(
    values.map((value) => [value, value, value]),
    5,
  );
  expect(repeated.high - repeated.low).toBeCloseTo(single.high - single.low, 12);
});

it('repeats with the same seed', () => {
  expect(bootstrapMean([[1], [2], [3]], 9)).toEqual(bootstrapMean([[1], [2], [3]], 9));
  expect(deriveSeed(42, 1, 'anchor', 2)).toBe(deriveSeed(42, 1, 'anchor', 2));
  expect(deriveSeed(42, 1, 'anchor', 2)).not.toBe(deriveSeed(42, 2, 'anchor', 1));
  expect(deriveSeed('1', '23')).not.toBe(deriveSeed('12', '3'));
});

it('makes rewards of log-probabilities: beta times the difference', () => {
  const pair = { anchorId: 'a', policy: { chosen: -10, rejected: -30 }, against: { chosen: -12, rejected: -25 } };
  const summary = summarizeMargins([pair], 0.1, 1);
  expect(summary.chosenReward).toBeCloseTo(0.2, 12);
  expect(summary.rejectedReward).toBeCloseTo(-0.5, 12);
  expect(summary.marginMean).toBeCloseTo(0.7, 12);
  expect(summary.accuracy).toBe(1);
});
