import { expect, it } from 'vitest';
import { signatureOf, similarityOf, wordsOf } from './min-hash.js';
import { groupNearDuplicates } from './near-duplicates.js';

const signature = (text: string) => signatureOf(wordsOf(text));
const text = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `word${from + at}`).join(' ');

it('reads words without case and punctuation, and every ideogram as a word', () => {
  expect(wordsOf('Wrong, AGAIN!!')).toEqual(wordsOf('wrong again'));
  expect(wordsOf('这个答案不对').length).toBe(6);
  expect(wordsOf('').length).toBe(0);
});

it('estimates how much two texts have in common', () => {
  expect(similarityOf(signature(text(0, 50)), signature(text(0, 50)))).toBe(1);
  expect(similarityOf(signature(text(0, 50)), signature(text(50, 100)))).toBeLessThan(0.1);
  // 75 of 125 words and 74 of 124 pairs in common: 149 / 249.
  const similarity = similarityOf(signature(text(0, 100)), signature(text(25, 125)));
  expect(Math.abs(similarity - 149 / 249)).toBeLessThan(0.15);
});

it('groups what is alike and leaves the rest alone, however large the group', () => {
  const copies = Array.from({ length: 300 }, (_, copy) => signature(`${text(0, 20)} copy ${copy}`));
  const others = Array.from({ length: 300 }, (_, other) => signature(text(100 * other + 100, 100 * other + 120)));
  const groups = groupNearDuplicates([...others, ...copies], 0.6);
  expect(new Set(groups.slice(0, 300)).size).toBe(300);
  expect(new Set(groups.slice(300))).toEqual(new Set([300]));
  expect(groupNearDuplicates([], 0.6).length).toBe(0);
});
