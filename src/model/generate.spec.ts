import { afterAll, expect, test } from 'vitest';
import { disposeDecoder, logprobTable, randomDecoder, randomIds } from '../../test/factories/random-decoder.js';
import type { SampleRequest, SampleSettings } from '../training/engine/training-engine.js';
import { generate } from './generate.js';
import { seededRandom } from './random.js';
import { tf } from './tf.js';

const decoder = randomDecoder();
afterAll(() => disposeDecoder(decoder));

const SAMPLED: SampleSettings = { temperature: 0.8, topP: 0.95, topK: 0, maxNewTokens: 80 };
const NO_EOS: number[] = [];

function requests(count: number): SampleRequest[] {
  const random = seededRandom(9);
  return Array.from({ length: count }, (_, i) => ({ promptIds: randomIds(1 + ((i * 7) % 40), random), seed: 100 + i }));
}

test('gives a request the same sample whatever else is in its batch', async () => {
  const all = requests(40);
  const together = await generate(decoder, all, SAMPLED, [0]);
  for (const i of [0, 7, 33, 39]) expect(await generate(decoder, [all[i]!], SAMPLED, [0])).toEqual([together[i]]);
  expect(new Set(together.map(({ ids }) => ids.join())).size).toBeGreaterThan(35);
});

test('gives another sample for another seed', async () => {
  const [request] = requests(1) as [SampleRequest];
  const [first, second] = await generate(decoder, [request, { ...request, seed: 1 }], SAMPLED, NO_EOS);
  expect(first!.ids).not.toEqual(second!.ids);
});

test('takes at temperature 0 the token that scores best at each place, through a joined cache and dropped rows', async () => {
  const all = requests(6);
  const samples = await generate(decoder, all, { ...SAMPLED, temperature: 0, maxNewTokens: 150 }, [2]);
  expect(new Set(samples.map(({ finish }) => finish))).toEqual(new Set(['eos', 'length']));
  for (const [i, { ids }] of samples.entries()) {
    const { promptIds } = all[i]!;
    const table = logprobTable(decoder, [...promptIds, ...ids]);
    for (const [place, id] of ids.entries()) {
      const row = table[promptIds.length + place - 1]!;
      expect(row[id]).toBeCloseTo(Math.max(...row), 4);
    }
  }
});

test('ends at the first EOS, which it keeps, or at the limit', async () => {
  const samples = await generate(decoder, requests(30), { ...SAMPLED, maxNewTokens: 20 }, [3, 4]);
  for (const { ids, finish } of samples) {
    const firstEos = ids.findIndex((id) => id === 3 || id === 4);
    if (finish === 'eos') expect(firstEos).toBe(ids.length - 1);
    else expect([firstEos, ids.length]).toEqual([-1, 20]);
  }
  expect(new Set(samples.map(({ finish }) => finish))).toEqual(new Set(['eos', 'length']));
});

test('holds no tensors afterwards and tells how many are done', async () => {
  const before = tf.memory().numTensors;
  const done: number[] = [];
  await generate(decoder, requests(5), { ...SAMPLED, maxNewTokens: 3 }, NO_EOS, (count) => done.push(count));
  expect(done).toEqual([1, 2, 3, 4, 5]);
  expect(tf.memory().numTensors).toBe(before);
});
