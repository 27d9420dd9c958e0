import { expect, it } from 'vitest';
import { MAX_DEPTH, nestsTooDeeply } from './nesting.js';

const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

it.each([
  ['as deep as allowed', nested(MAX_DEPTH), false],
  ['a level deeper', nested(MAX_DEPTH + 1), true],
  ['objects that are deeper', `${'{"a":'.repeat(MAX_DEPTH + 1)}1`, true],
  ['wide, not deep', `[${Array(1_000).fill('[]').join(',')}]`, false],
  ['brackets inside of a string', JSON.stringify('['.repeat(1_000)), false],
  ['a string that ends in a backslash', `["\\\\",${nested(MAX_DEPTH)}]`, true],
  ['an escaped quote', `["\\"${'['.repeat(1_000)}"]`, false],
  ['a string that does not end', `["${'['.repeat(1_000)}`, false],
])('tells %s', (_, json, expected) => {
  expect(nestsTooDeeply(json)).toBe(expected);
});
