import { expect, it } from 'vitest';
import { confidenceTerms } from './verdict-confidence.js';

const precisions = [0.9, 0.6, null];

it('weighs pairs by precision, the mean one with 1', () => {
  const terms = confidenceTerms(precisions, { verdictConfidence: 'weight', labelSmoothing: 0 });
  expect(terms[0]!.weight).toBeCloseTo(1.2, 12);
  expect(terms[1]!.weight).toBeCloseTo(0.8, 12);
  expect(terms[2]).toEqual({});
});

it('smooths each label by what its precision leaves, at least as set and never beyond one half', () => {
  const smoothing = (labelSmoothing: number, values: (number | null)[] = precisions) =>
    confidenceTerms(values, { verdictConfidence: 'smoothing', labelSmoothing }).map((term) => term.labelSmoothing);
  expect(smoothing(0)[0]).toBeCloseTo(0.1, 12);
  expect(smoothing(0)[1]).toBeCloseTo(0.4, 12);
  expect(smoothing(0)[2]).toBeUndefined();
  expect(smoothing(0.2)[0]).toBe(0.2);
  expect(smoothing(0, [0.3])).toEqual([0.5]);
});

it('changes nothing where it is off, only leaves anchors out, or nothing is known', () => {
  for (const verdictConfidence of ['off', 'threshold'] as const) {
    expect(confidenceTerms(precisions, { verdictConfidence, labelSmoothing: 0 })).toEqual([{}, {}, {}]);
  }
  expect(confidenceTerms([null], { verdictConfidence: 'weight', labelSmoothing: 0 })).toEqual([{}]);
});
