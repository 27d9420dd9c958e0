import { describe, expect, it } from 'vitest';
import { operating } from './judged.js';

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
