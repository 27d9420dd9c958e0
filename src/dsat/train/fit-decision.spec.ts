import { describe, expect, it } from 'vitest';
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
