import { describe, expect, it } from 'vitest';
import { longWords } from './long-words.js';

function found(text: string, shortest: number): string[] {
  const words: string[] = [];
  longWords(text, shortest, (word) => words.push(word) < 0);
  return words;
}

describe('long words', () => {
  it.each([
    ['', []],
    ['abc', []],
    ['abcd', ['abcd']],
    ['ab cd abcde f', ['abcde']],
    ['abcdefghij, klmn.opqr;stu', ['abcdefghij', 'klmn', 'opqr']],
    ['a_b-c ä bcdeé fghi', ['a_b-c', 'bcde', 'fghi']],
  ])('of %j are %j', (text, words) => {
    expect(found(text, 4)).toEqual(words);
  });

  it('are those that an expression finds, in any text', () => {
    const units = 'ab1_- .é';
    for (let seed = 1; seed < 300; seed++) {
      const text = Array.from({ length: 60 }, (_, at) => units[(seed * (at + 7) * (at + seed)) % units.length]).join(
        '',
      );
      expect(found(text, 3)).toEqual(text.match(/[\w-]{3,}/g) ?? []);
    }
  });

  it('are looked at until one matches', () => {
    expect(longWords('first second third', 5, (word) => word === 'second')).toBe(true);
    expect(longWords('first second third', 5, (word) => word === 'other')).toBe(false);
  });
});
