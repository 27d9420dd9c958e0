import { describe, expect, it } from 'vitest';
import { likeliest } from '../decide-verdict.js';
import { RUBRICS } from '../verdict.js';
import { fitCascade, type NaturalTurn } from './measure-cascade.js';

describe('fitCascade', () => {
  it('shifts rubrics to how often each is the reason', () => {
    const rubricScores = Float64Array.from(RUBRICS, (rubric) => Number(rubric === 'revision'));
    const turns = Array.from({ length: 40 }, (_, at): NaturalTurn => {
      const dsat = at % 2 === 0;
      return {
        ...{ conversation: `c${at}`, turn: 2, confidence: 'high', stratum: 'random', fold: at % 5 },
        label: dsat ? 'dsat' : 'neutral',
        rubric: dsat ? (at % 8 === 0 ? 'revision' : 'ignored-instruction') : null,
        exchange: { prompt: '', reply: '', userTurn: '' },
        scores: { first: Float64Array.of(0, 0, 0), second: Float64Array.of(dsat ? 1 : 0, 0, 0) },
        rubricScores: { first: rubricScores, second: rubricScores },
      };
    });
    const { second } = fitCascade(turns).rubricShifts;
    expect(likeliest(rubricScores)).toBe('revision');
    expect(likeliest(rubricScores.map((score, at) => score + second[at]!))).toBe('ignored-instruction');
  });
});
