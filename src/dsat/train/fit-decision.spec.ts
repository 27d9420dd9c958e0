import { describe, expect, it } from 'vitest';
import { bootstrapInterval } from './bootstrap.js';
import { fitCalibration } from './fit-calibration.js';
import { type CascadeExample, EVERYTHING, fitDecision, NOTHING, operating, throughCascade } from './fit-decision.js';

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

describe('operating', () => {
  it('counts precision and recall of a label', () => {
    const turns = [
      { label: 'dsat', decided: 'dsat' },
      { label: 'dsat', decided: 'neutral' },
      { label: 'sat', decided: 'dsat' },
    ] as const;
    expect(operating('dsat', [...turns])).toEqual({ precision: 0.5, recall: 0.5, f1: 0.5 });
    expect(operating('sat', [...turns])).toEqual({ precision: 0, recall: 0, f1: 0 });
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

describe('bootstrapInterval', () => {
  it('lies around the figure, and is the same again', () => {
    const turns = Array.from({ length: 200 }, (_, at) => ({ conversation: `c${at >> 1}`, hit: at % 4 < 2 ? 1 : 0 }));
    const mean = (sample: typeof turns) => sample.reduce((sum, { hit }) => sum + hit, 0) / sample.length;
    const [low, high] = bootstrapInterval(turns, mean);
    expect(low).toBeGreaterThan(0.38);
    expect(low).toBeLessThan(0.45);
    expect(high).toBeGreaterThan(0.55);
    expect(high).toBeLessThan(0.62);
    expect(bootstrapInterval(turns, mean)).toEqual([low, high]);
  });
});
