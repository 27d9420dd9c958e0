import { describe, expect, it } from 'vitest';
import type { Label } from '../verdict.js';
import { compare, mcNemar } from './compare.js';
import type { EvaluatedTurn } from './labelled-turn.js';

const turn = (at: number, label: Label, dsat: number): EvaluatedTurn => ({
  conversation: `c${at >> 1}`,
  turn: 2,
  label,
  rubric: null,
  confidence: 'high',
  stratum: null,
  language: null,
  metadata: {},
  exchange: { prompt: '', reply: '', userTurn: '' },
  probabilities: { dsat, sat: 0, neutral: 1 - dsat },
  decided: dsat >= 0.5 ? 'dsat' : 'neutral',
  named: null,
});
const labels = Array.from({ length: 80 }, (_, at): Label => (at % 4 === 0 ? 'dsat' : 'neutral'));
const right = labels.map((label, at) => turn(at, label, label === 'dsat' ? 0.9 : 0.1));
const blind = labels.map((label, at) => turn(at, label, 0.5));

describe('compare', () => {
  it('finds one that is right better than one that is blind, and by how much', () => {
    const { averagePrecision, difference, decisions } = compare(right, blind);
    expect(averagePrecision).toBeCloseTo(0.25);
    expect(difference.averagePrecision.value).toBeCloseTo(0.75);
    expect(difference.averagePrecision.interval95[0]).toBeGreaterThan(0.5);
    expect(difference.averagePrecision.p).toBeLessThan(0.01);
    expect(decisions).toMatchObject({ onlyThisRight: 60, onlyOtherRight: 0 });
    expect(compare(blind, right).difference.averagePrecision.value).toBeCloseTo(-0.75);
  });

  it('finds no difference between one and itself', () => {
    const { difference, decisions } = compare(right, right);
    expect(difference.f1).toEqual({ value: 0, interval95: [0, 0], p: 1 });
    expect(decisions).toEqual({ onlyThisRight: 0, onlyOtherRight: 0, p: 1 });
  });
});

describe('mcNemar', () => {
  const split = (own: number, other: number) =>
    mcNemar(
      Array.from({ length: own + other }, (_, at) => at < own),
      Array.from({ length: own + other }, (_, at) => at >= own),
    );

  // scipy.stats.binomtest(2, 12).pvalue and binomtest(1100, 2400).pvalue
  it('matches the exact binomial test, also of many turns', () => {
    expect(split(2, 10).p).toBeCloseTo(0.03857421875, 10);
    expect(split(1_100, 1_300).p).toBeCloseTo(4.81e-5, 6);
    expect(split(5, 5).p).toBe(1);
  });
});
