import { describe, expect, it } from 'vitest';
import { harmless, oneLine } from '../harmless.js';
import { duration, table, truncate } from './terminal.js';

describe('terminal output', () => {
  it('keeps escape sequences of users away from the terminal', () => {
    expect(harmless('red \u001b[31malert\u0007\nnext')).toBe('red  [31malert \nnext');
    expect(oneLine(' two\r\n  lines\u0000 ')).toBe('two lines');
  });

  it('cuts at the width of the terminal, counting wide characters twice', () => {
    expect(truncate('shorter', 10)).toBe('shorter');
    expect(truncate('exactly ten', 10)).toBe('exactly t…');
    expect(truncate('不对，再试一次', 7)).toBe('不对，…');
    expect(truncate('👩‍👩‍👧 family', 5)).toBe('👩‍👩‍👧 f…');
  });

  it('aligns columns and cuts only what the terminal cannot hold', () => {
    const rows = [
      ['a', 'one'],
      ['long', 'two\nlines'],
    ];
    expect(table(['id', 'text'], rows, 12)).toBe('id    text\na     one\nlong  two l…');
    expect(table(['id', 'text'], rows, undefined).split('\n').at(-1)).toBe('long  two lines');
  });

  it('says durations in two units', () => {
    const start = new Date(0);
    expect([5_000, 184_000, 3_720_000].map((ms) => duration(start, new Date(ms)))).toEqual([
      '5 s',
      '3 min 4 s',
      '1 h 2 min',
    ]);
  });
});
