import { expect, test } from 'vitest';
import { orderForSharing, trieMask, triesOf } from './prompt-trie.js';

const HIDDEN = -1;

test('computes a beginning that prompts share once, and the rest of each after it', () => {
  const [trie, ...others] = triesOf([
    [1, 2, 3],
    [1, 2, 3, 4],
    [1, 2, 5],
  ]);
  expect(others).toEqual([]);
  expect(trie).toEqual({
    ids: [1, 2, 3, 4, 5],
    positions: [0, 1, 2, 3, 2],
    parents: [-1, 0, 1, 2, 1],
    paths: [
      [0, 1, 2],
      [0, 1, 2, 3],
      [0, 1, 4],
    ],
  });
});

test('lets a token see what is before it in its own prompt only', () => {
  const [trie] = triesOf([
    [1, 2, 3],
    [1, 2, 4],
  ]);
  const rows = Array.from({ length: 4 }, (_, i) => [...trieMask(trie!, HIDDEN).subarray(4 * i, 4 * i + 4)]);
  expect(rows).toEqual([
    [0, HIDDEN, HIDDEN, HIDDEN],
    [0, 0, HIDDEN, HIDDEN],
    [0, 0, 0, HIDDEN],
    [0, 0, HIDDEN, 0],
  ]);
});

test('keeps prompts apart that share less than half, or that would make a trie too large', () => {
  expect(
    triesOf([
      [1, 2, 3],
      [1, 4, 5],
    ]),
  ).toHaveLength(2);
  const long = Array.from({ length: 900 }, (_, i) => i);
  expect(triesOf([long, [...long.slice(0, 500), ...long.slice(0, 400)]])).toHaveLength(2);
  expect(triesOf([long, long, long])).toHaveLength(1);
});

test('orders prompts by length, those that share a beginning side by side', () => {
  const order = orderForSharing([
    [7, 8],
    [1, 2, 3, 4, 5],
    [7, 9, 9],
    [1, 2, 3, 6],
    [7, 8],
  ]);
  expect([...order].sort()).toEqual([0, 1, 2, 3, 4]);
  expect(new Set(order.slice(0, 2))).toEqual(new Set([1, 3]));
  expect(Math.abs(order.indexOf(0) - order.indexOf(4))).toBe(1);
});
