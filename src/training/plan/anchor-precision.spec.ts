import { expect, it } from 'vitest';
import { precisionsOf } from './anchor-precision.js';

it('draws the precision of a rubric to the mean of all, the less the more was looked at', () => {
  const precision = precisionsOf(
    new Map([
      ['not-working', { anchors: 40, right: 36 }],
      ['revision', { anchors: 60, right: 39 }],
      ['style', { anchors: 0, right: 0 }],
    ]),
  );
  // Of all 100 anchors 75 are right.
  expect(precision('not-working')).toBeCloseTo((36 + 7.5) / 50, 12);
  expect(precision('revision')).toBeCloseTo((39 + 7.5) / 70, 12);
  expect(precision('style')).toBeCloseTo(0.75, 12);
  expect(precision('unheard-of')).toBeCloseTo(0.75, 12);
});

it('knows nothing where nothing was looked at', () => {
  expect(precisionsOf(new Map())('style')).toBeNull();
});
