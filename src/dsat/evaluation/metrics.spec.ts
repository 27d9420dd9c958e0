import { describe, expect, it } from 'vitest';
import { averagePrecision, bestF1, calibrationBins, calibrationError, Ranking, type Scored } from './metrics.js';

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
    expect(new Ranking(scored).recallAtPrecision(0.85)).toBe(0.5);
    expect(new Ranking([{ score: 1, positive: false }]).recallAtPrecision(0.85)).toBe(0);
  });

  it('keep equal scores together, whatever their order', () => {
    const tied = [true, false, true].map((positive) => ({ score: 0.5, positive }));
    expect(new Ranking(tied).points()).toHaveLength(1);
    expect(averagePrecision(tied)).toBeCloseTo(2 / 3);
    expect(averagePrecision(tied.toReversed())).toBeCloseTo(2 / 3);
  });

  it('count an example as often as its weight says', () => {
    const weights = [0, 1, 2, 3];
    const repeated = scored.flatMap((one, at) => new Array<Scored>(weights[at]!).fill(one));
    const ranking = new Ranking(scored);
    expect(ranking.averagePrecision(weights)).toBeCloseTo(averagePrecision(repeated));
    expect(ranking.recallAtPrecision(0.6, weights)).toBe(new Ranking(repeated).recallAtPrecision(0.6));
    expect(calibrationError(scored, weights)).toBeCloseTo(calibrationError(repeated));
    expect(ranking.averagePrecision([0, 0, 0, 0])).toBe(0);
  });

  it('put a score of 1 into the last bin, and leave empty bins without a share', () => {
    const bins = calibrationBins([{ score: 1, positive: true }]);
    expect(bins).toHaveLength(15);
    expect(bins.at(-1)).toEqual({ from: 14 / 15, to: 1, count: 1, expected: 1, observed: 1 });
    expect(bins[0]).toMatchObject({ count: 0, expected: null, observed: null });
  });

  it('find a calibration error of 0 where scores are frequencies, and of their distance where they are not', () => {
    const share = (score: number, positives: number, of: number): Scored[] =>
      Array.from({ length: of }, (_, at) => ({ score, positive: at < positives }));
    expect(calibrationError([...share(0.25, 1, 4), ...share(1, 3, 3)])).toBeCloseTo(0);
    expect(calibrationError(share(0.9, 1, 2))).toBeCloseTo(0.4);
  });
});
