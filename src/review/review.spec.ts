import { describe, expect, it } from 'vitest';
import type { Rubric } from '../dsat/verdict.js';
import { decideVotes, type Vote } from './review.js';

const dsat = (rubric: Rubric): Vote => ({ label: 'dsat', rubric, confidence: 'high' });
const neutral: Vote = { label: 'neutral', rubric: null, confidence: 'high' };
const sat: Vote = { label: 'sat', rubric: null, confidence: 'high' };

describe('decideVotes', () => {
  it('takes what a single reviewer says, as sure as that one is', () => {
    expect(decideVotes([neutral])).toEqual(neutral);
    expect(decideVotes([{ ...neutral, confidence: 'low' }])?.confidence).toBe('low');
  });

  it('decides nothing while no label has more than half', () => {
    expect(decideVotes([])).toBeNull();
    expect(decideVotes([dsat('style'), neutral])).toBeNull();
    expect(decideVotes([dsat('style'), neutral, sat])).toBeNull();
  });

  it('takes the majority, which is less sure than one voice, and its most common rubric', () => {
    const votes = [dsat('style'), neutral, dsat('detail'), dsat('detail')];
    expect(decideVotes(votes)).toEqual({ label: 'dsat', rubric: 'detail', confidence: 'low' });
    expect(decideVotes([dsat('style'), dsat('detail')])).toEqual({
      label: 'dsat',
      rubric: 'style',
      confidence: 'high',
    });
  });
});
