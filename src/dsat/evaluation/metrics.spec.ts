import { describe, expect, it } from 'vitest';
import {
  averagePrecision,
  bestF1,
  calibrationError,
  operatingPoints,
  recallAtPrecision,
  type Scored,
} from './metrics.js';

/** Right, wrong, right, wrong, from the highest score. */
const scored: Scored[] = [
  { score: 0.1, positive: false },
  { score: 0.9, positive: true },
  { score: 0.6, positive: true },
  { score: 0.8, positive: false },
];

describe('the metrics', () => {
  it('match values worked out by hand', () => {
    expect(averagePrecision(scored)).toBeCloseTo(0.5 * 1 + 0.5 * (2 / 3));
    expect(bestF1(scored)).toEqual({ threshold: 0.6, precision: 2 / 3, recall: 1, f1: 0.8 });
    expect(recallAtPrecision(scored, 0.85)).toBe(0.5);
    expect(recallAtPrecision([{ score: 1, positive: false }], 0.85)).toBe(0);
  });

  it('keep equal scores together, whatever their order', () => {
    const tied = [true, false, true].map((positive) => ({ score: 0.5, positive }));
    expect(operatingPoints(tied)).toHaveLength(1);
    expect(averagePrecision(tied)).toBeCloseTo(2 / 3);
    expect(averagePrecision(tied.toReversed())).toBeCloseTo(2 / 3);
  });

  it('find a calibration error of 0 where scores are frequencies, and of their distance where they are not', () => {
    const share = (score: number, positives: number, of: number): Scored[] =>
      Array.from({ length: of }, (_, at) => ({ score, positive: at < positives }));
    expect(calibrationError([...share(0.25, 1, 4), ...share(1, 3, 3)])).toBeCloseTo(0);
    expect(calibrationError(share(0.9, 1, 2))).toBeCloseTo(0.4);
  });
});
