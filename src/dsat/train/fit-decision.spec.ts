import { describe, expect, it } from 'vitest';
import { abstains } from '../decide-verdict.js';
import { fitCalibration } from './fit-calibration.js';
import { type CascadeExample, EVERYTHING, fitDecision, NOTHING, throughCascade } from './fit-decision.js';

const probabilities = (dsat: number, sat: number) => ({ dsat, sat, neutral: 1 - dsat - sat });

describe('fitDecision', () => {
  it('takes the thresholds at which F1 is best, that of sat among what is not dsat', () => {
    const decision = fitDecision([
      { label: 'dsat', probabilities: probabilities(0.9, 0.05) },
      { label: 'dsat', probabilities: probabilities(0.4, 0.1) },
      { label: 'neutral', probabilities: probabilities(0.2, 0.1) },
      { label: 'sat', probabilities: probabilities(0.1, 0.6) },
      { label: 'neutral', probabilities: probabilities(0.1, 0.3) },
    ]);
    expect(decision).toEqual({ dsat: 0.4, sat: 0.6 });
  });
});

describe('throughCascade', () => {
  const example: CascadeExample = { label: 'dsat', first: probabilities(0.2, 0), second: probabilities(0.7, 0) };
  const decision = { dsat: 0.5, sat: 0.5 };
  const decisions = { first: decision, second: decision };

  it('asks the second stage within the band only', () => {
    expect(throughCascade(example, EVERYTHING, decisions)).toMatchObject({ decided: 'dsat', provisional: true });
    expect(throughCascade(example, NOTHING, decisions)).toMatchObject({ decided: 'neutral', provisional: false });
    expect(throughCascade(example, { dsat: [0.2, 0.8], sat: [0.1, 0.9] }, decisions).provisional).toBe(false);
  });
});

describe('abstains', () => {
  it('from as far under the threshold as one half is above it', () => {
    const decision = { dsat: 0.35, sat: 0.2 };
    const at = (dsat: number) => abstains(probabilities(dsat, 0.1), decision);
    expect([0.19, 0.21, 0.35, 0.49, 0.5].map(at)).toEqual([false, true, true, true, false]);
  });

  it('never where the threshold is not under one half', () => {
    for (const dsat of [0.3, 0.4, 0.5, 0.6]) {
      expect(abstains(probabilities(dsat, 0), { dsat: 0.55, sat: 0.2 })).toBe(false);
    }
  });
});

describe('fitCalibration', () => {
  it('brings scores to the frequencies at which labels occur', () => {
    const turns = Array.from({ length: 400 }, (_, at) => ({
      scores: Float64Array.of(2, 0),
      target: at % 4 === 0 ? 0 : 1,
    }));
    const { scale, shift } = fitCalibration(turns, 2);
    const odds = Math.exp(2 * scale + shift[0]! - shift[1]!);
    expect(odds / (1 + odds)).toBeCloseTo(0.25, 2);
  });
});
