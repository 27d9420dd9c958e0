import { describe, expect, it } from 'vitest';
import type { EvaluatedTurn } from './labelled-turn.js';
import { languageOf } from './language-of.js';
import { slicesOf } from './slices.js';

const turn = (at: number, userTurn: string, more: Partial<EvaluatedTurn> = {}): EvaluatedTurn => ({
  conversation: `c${at}`,
  turn: 1 + at,
  label: at % 4 === 0 ? 'dsat' : 'neutral',
  rubric: null,
  confidence: null,
  stratum: null,
  language: null,
  metadata: {},
  exchange: { prompt: 'Write a short poem about spring, please', reply: '', userTurn },
  probabilities: { dsat: at % 4 === 0 ? 0.9 : 0.1, sat: 0, neutral: 0.1 },
  decided: at % 4 === 0 ? 'dsat' : 'neutral',
  named: null,
  ...more,
});

describe('slicesOf', () => {
  const turns = Array.from({ length: 40 }, (_, at) =>
    turn(at, 'x'.repeat(at < 20 ? 5 : 1_300), { metadata: at < 25 ? { user: 'new' } : { user: `u${at}` } }),
  );
  const slices = slicesOf(turns, ['user']);

  it('tells turns apart by length and position, in their order, without empty bins', () => {
    expect(slices.length!.map(({ name, turns: count }) => [name, count])).toEqual([
      ['characters under 20', 20],
      ['characters 1280 and more', 20],
    ]);
    expect(slices.position!.map(({ turns: count }) => count)).toEqual([3, 6, 20, 11]);
  });

  it('puts cohorts of a few turns together', () => {
    expect(slices.user!.map(({ name, turns: count }) => [name, count])).toEqual([
      ['new', 25],
      ['others', 15],
    ]);
  });

  it('measures dsat in each, with an interval around the average precision', () => {
    expect(slices.user![0]).toMatchObject({ dsat: 7, averagePrecision: 1, precision: 1, recall: 1, f1: 1 });
    expect(slices.user![0]!.averagePrecision95).toEqual([1, 1]);
  });
});

describe('languageOf', () => {
  it('takes what the file says, else what the turn looks like, else what was asked looks like', () => {
    const german = 'Das ist leider nicht richtig, bitte versuche es noch einmal';
    expect(languageOf(turn(0, german, { language: 'gsw' }))).toBe('gsw');
    expect(languageOf(turn(0, german))).toBe('de');
    expect(languageOf(turn(0, 'ok'))).toBe('en');
    expect(languageOf(turn(0, 'ok', { exchange: { prompt: '', reply: '', userTurn: 'ok' } }))).toBe('unknown');
  });
});
