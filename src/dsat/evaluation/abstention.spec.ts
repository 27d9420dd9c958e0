import { expect, it } from 'vitest';
import type { Label } from '../verdict.js';
import { abstentionFigures } from './abstention.js';

const turn = (label: Label, decided: Label, abstained: boolean) => ({ label, decided, abstained });

it('tells what abstention leaves of the turns called dsat, and what it puts aside', () => {
  const turns = [
    turn('dsat', 'dsat', false),
    turn('dsat', 'dsat', false),
    turn('neutral', 'dsat', false),
    turn('dsat', 'dsat', true),
    turn('neutral', 'dsat', true),
    turn('dsat', 'neutral', true),
    turn('neutral', 'neutral', true),
    turn('neutral', 'neutral', false),
  ];
  expect(abstentionFigures(turns)).toEqual({
    share: 4 / 8,
    dsatShare: 2 / 5,
    kept: { turns: 3, precision: 2 / 3, recall: 2 / 4 },
    putAside: { turns: 2, precision: 1 / 2 },
    missed: { abstained: 1 / 2, kept: 0 },
  });
});
