import { afterAll, expect, test } from 'vitest';
import { disposeDecoder, logprobTable, randomDecoder, randomIds } from '../../test/factories/random-decoder.js';
import { completionLogprobs } from './logprobs.js';
import { seededRandom } from './random.js';
import { tf } from './tf.js';

const decoder = randomDecoder();
const random = seededRandom(3);
afterAll(() => disposeDecoder(decoder));

function plainLogprobs(promptIds: number[], completionIds: number[]): number[] {
  const table = logprobTable(decoder, [...promptIds, ...completionIds]);
  return completionIds.map((id, i) => table[promptIds.length + i - 1]![id]!);
}

test('gives each completion what it has alone, however many share a prompt or a pass', async () => {
  const [one, other] = [randomIds(6, random), randomIds(3, random)];
  const completions = [
    { promptIds: one, completionIds: randomIds(5, random) },
    { promptIds: one, completionIds: randomIds(2, random) },
    { promptIds: one, completionIds: randomIds(1, random) },
    { promptIds: other, completionIds: randomIds(4, random) },
  ];
  const scored = await completionLogprobs(decoder, completions);
  for (const [i, { promptIds, completionIds }] of completions.entries()) {
    const expected = plainLogprobs(promptIds, completionIds);
    expect(scored[i]).toHaveLength(expected.length);
    for (const [j, value] of scored[i]!.entries()) expect(value).toBeCloseTo(expected[j]!, 4);
  }
});

test('scores more than one pass takes, in order, and holds nothing afterwards', async () => {
  const completions = Array.from({ length: 5 }, () => ({
    promptIds: randomIds(400, random),
    completionIds: randomIds(100, random),
  }));
  const before = tf.memory().numTensors;
  const done: number[] = [];
  const scored = await completionLogprobs(decoder, completions, (count) => done.push(count));
  expect(done).toEqual([4, 5]);
  expect(tf.memory().numTensors).toBe(before);
  const [alone] = await completionLogprobs(decoder, completions.slice(4));
  for (const [j, value] of scored[4]!.entries()) expect(value).toBeCloseTo(alone![j]!, 4);
});
