import { describe, expect, it } from 'vitest';
import { sortTurns } from './sort-turns.js';
import { makeTurn, turnKey } from './turn.js';

const placed = (content: string, record: number, turn = 0) => ({
  turn: makeTurn({ conversationId: 'c', turn, role: 'user', content, occurredAt: '2026-01-01T00:00:00Z' }),
  record,
  item: 0,
});

describe('sortTurns', () => {
  it('keeps the first turn of a batch and counts the same one again as a duplicate', () => {
    const first = placed('hello', 0);
    expect(sortTurns([first, placed('hello', 1)], new Map())).toEqual({
      fresh: [first.turn],
      duplicates: 1,
      conflicts: [],
    });
  });

  it('reports a turn that says otherwise, with the hash of the one that stays', () => {
    const [first, second] = [placed('hello', 0), placed('goodbye', 1)];
    const { fresh, conflicts } = sortTurns([first, second], new Map());
    expect(fresh).toEqual([first.turn]);
    expect(conflicts).toEqual([{ ...second, storedSha256: first.turn.sha256 }]);
  });

  it('compares with what is stored', () => {
    const stored = new Map([[turnKey('c', 0), placed('hello', 0).turn.sha256]]);
    const { fresh, duplicates, conflicts } = sortTurns(
      [placed('hello', 0), placed('goodbye', 1), placed('x', 2, 1)],
      stored,
    );
    expect([fresh.map(({ turn }) => turn), duplicates, conflicts.length]).toEqual([[1], 1, 1]);
  });
});
