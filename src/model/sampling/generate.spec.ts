import { afterAll, expect, test } from 'vitest';
import { disposeDecoder, logprobTable, randomDecoder, randomIds } from '../../../test/factories/random-decoder.js';
import type { SampleRequest, SampleSettings } from '../../training/engine/training-engine.js';
import type { Decoder } from '../decoder.js';
import { createLora, loraB } from '../lora.js';
import { backend } from '../native.js';
import { seededRandom } from '../random.js';
import { tf } from '../tf.js';
import { type GenerateOptions, generate } from './generate.js';

const decoder = randomDecoder();
afterAll(() => disposeDecoder(decoder));

const SAMPLED: SampleSettings = { temperature: 0.8, topP: 0.95, topK: 0, maxNewTokens: 80 };
const NO_EOS: GenerateOptions = { eosIds: [], decode: (ids) => ids.join(' ') };
const endingAt = (...eosIds: number[]): GenerateOptions => ({ ...NO_EOS, eosIds });

function requests(count: number): SampleRequest[] {
  const random = seededRandom(9);
  return Array.from({ length: count }, (_, i) => ({ promptIds: randomIds(1 + ((i * 7) % 40), random), seed: 100 + i }));
}

test('gives a request the same sample whatever else is in its batch', async () => {
  const all = requests(40);
  const together = await generate(decoder, all, SAMPLED, endingAt(0));
  for (const i of [0, 7, 33, 39]) {
    const [alone] = await generate(decoder, [all[i]!], SAMPLED, endingAt(0));
    expect(alone!.ids).toEqual(together[i]!.ids);
  }
  expect(new Set(together.map(({ ids }) => ids.join())).size).toBeGreaterThan(35);
});

test('gives another sample for another seed', async () => {
  const [request] = requests(1) as [SampleRequest];
  const [first, second] = await generate(decoder, [request, { ...request, seed: 1 }], SAMPLED, NO_EOS);
  expect(first!.ids).not.toEqual(second!.ids);
});

test('takes at temperature 0 the token that scores best at each place, through a joined cache and dropped rows', async () => {
  const all = requests(6);
  const samples = await generate(decoder, all, { ...SAMPLED, temperature: 0, maxNewTokens: 150 }, endingAt(2));
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

test('computes a prompt that is longer than a stretch of queries as any other, also where samples share it', async () => {
  const promptIds = randomIds(1300, seededRandom(2));
  const [own, other] = [promptIds, [...promptIds.slice(0, 1290), 1, 2]];
  const all = [own, own, other].map((ids) => ({ promptIds: ids, seed: 1 }));
  const samples = await generate(decoder, all, { ...SAMPLED, temperature: 0, maxNewTokens: 2 }, NO_EOS);
  for (const [i, { ids, logprobs }] of samples.entries()) {
    const prompt = all[i]!.promptIds;
    const table = logprobTable(decoder, [...prompt, ...ids]);
    for (const [place, id] of ids.entries())
      expect(logprobs[place]).toBeCloseTo(table[prompt.length + place - 1]![id]!, 4);
  }
});

test('ends at the first EOS, which it keeps, or at the limit', async () => {
  const samples = await generate(decoder, requests(30), { ...SAMPLED, maxNewTokens: 20 }, endingAt(3, 4));
  for (const { ids, finish } of samples) {
    const firstEos = ids.findIndex((id) => id === 3 || id === 4);
    if (finish === 'eos') expect(firstEos).toBe(ids.length - 1);
    else expect([firstEos, ids.length]).toEqual([-1, 20]);
  }
  expect(new Set(samples.map(({ finish }) => finish))).toEqual(new Set(['eos', 'length']));
});

test('holds no tensors afterwards and tells how many are done', async () => {
  const before = [tf.memory().numTensors, backend.binding.getNumOfTensors()];
  const done: number[] = [];
  await generate(
    decoder,
    requests(5),
    { ...SAMPLED, maxNewTokens: 3 },
    { ...NO_EOS, onProgress: (count) => done.push(count) },
  );
  expect(done).toEqual([1, 2, 3, 4, 5]);
  expect([tf.memory().numTensors, backend.binding.getNumOfTensors()]).toEqual(before);
});

test('tells the log-probability of each token under the model itself, whatever it was drawn with', async () => {
  const settings = { ...SAMPLED, temperature: 2, topK: 5, minP: 0.01, repetitionPenalty: 1.5, maxNewTokens: 40 };
  const all = requests(4);
  for (const [i, { ids, logprobs }] of (await generate(decoder, all, settings, NO_EOS)).entries()) {
    const { promptIds } = all[i]!;
    const table = logprobTable(decoder, [...promptIds, ...ids]);
    expect(logprobs).toHaveLength(ids.length);
    for (const [place, id] of ids.entries())
      expect(logprobs[place]).toBeCloseTo(table[promptIds.length + place - 1]![id]!, 4);
  }
});

test('computes prompts that share a beginning as it would each alone', async () => {
  const random = seededRandom(4);
  const trunk = randomIds(60, random);
  const prompts = [trunk, [...trunk, 5, 6, 7], trunk, [...trunk, 5, 8], randomIds(50, random), trunk.slice(0, 40)];
  const all = prompts.map((promptIds, i) => ({ promptIds, seed: i }));
  const together = await generate(decoder, all, SAMPLED, NO_EOS);
  for (const [i, request] of all.entries())
    expect((await generate(decoder, [request], SAMPLED, NO_EOS))[0]!.ids).toEqual(together[i]!.ids);
  expect(together[0]!.ids).not.toEqual(together[2]!.ids);
});

test('lets waiting sequences in where others ended', async () => {
  const all = requests(70).map((request, i) => ({ ...request, maxNewTokens: 1 + ((i * 11) % 60) }));
  const order: number[] = [];
  const samples = await generate(decoder, all, SAMPLED, { ...NO_EOS, onProgress: (done) => order.push(done) });
  expect(samples.map(({ ids }) => ids.length)).toEqual(all.map(({ maxNewTokens }) => maxNewTokens));
  expect(order).toEqual(Array.from({ length: 70 }, (_, i) => i + 1));
  for (const i of [1, 35, 69])
    expect((await generate(decoder, [all[i]!], SAMPLED, NO_EOS))[0]!.ids).toEqual(samples[i]!.ids);
});

test('ends at a stop id or once the text holds a stop string, and says so', async () => {
  const all = requests(20);
  const free = await generate(decoder, all, SAMPLED, NO_EOS);
  const stopped = await generate(decoder, all, { ...SAMPLED, stopIds: [5], stopStrings: ['3 4', '9 9'] }, NO_EOS);
  for (const [i, { ids, finish }] of stopped.entries()) {
    const end = free[i]!.ids.findIndex((id, at, whole) => {
      const pair = `${whole[at - 1]} ${id}`;
      return id === 5 || / ?3 4/.test(pair) || / ?9 9/.test(pair);
    });
    expect(ids).toEqual(end === -1 ? free[i]!.ids : free[i]!.ids.slice(0, end + 1));
    expect(finish).toBe(end === -1 ? 'length' : 'stop');
  }
  expect(stopped.some(({ finish }) => finish === 'stop')).toBe(true);
});

test('repeats less under a repetition penalty, at temperature 0 too', async () => {
  const distinct = (samples: { ids: number[] }[]) => samples.reduce((sum, { ids }) => sum + new Set(ids).size, 0);
  const settings = { ...SAMPLED, temperature: 0, maxNewTokens: 20 };
  const plain = await generate(decoder, requests(8), settings, NO_EOS);
  const penalised = await generate(decoder, requests(8), { ...settings, repetitionPenalty: 100 }, NO_EOS);
  expect(distinct(penalised)).toBeGreaterThan(distinct(plain));
});

test('samples through an adapter as through the weights it amounts to, and in bf16 nearly the same', async () => {
  const lora = createLora(decoder.config, { rank: 2, alpha: 4, seed: 1 });
  for (const [name, tensor] of lora.weights) {
    if (!name.includes('lora_B')) continue;
    lora.weights.set(name, tf.randomNormal(tensor.shape, 0, 0.1, 'float32', 3));
    tensor.dispose();
  }
  const adapted: Decoder = { ...decoder, lora };
  expect(lora.weights.has(loraB('model.layers.0.mlp.up_proj'))).toBe(true);
  const all = requests(6);
  const greedy = { ...SAMPLED, temperature: 0, maxNewTokens: 10 };
  const fp32 = await generate(adapted, all, greedy, NO_EOS);
  for (const [i, { ids, logprobs }] of fp32.entries()) {
    const table = logprobTable(adapted, [...all[i]!.promptIds, ...ids]);
    for (const [place, id] of ids.entries())
      expect(logprobs[place]).toBeCloseTo(table[all[i]!.promptIds.length + place - 1]![id]!, 4);
  }
  const bf16 = await generate({ ...adapted, dtype: 'bf16' }, all, { ...greedy, maxNewTokens: 1 }, NO_EOS);
  for (const [i, { ids, logprobs }] of bf16.entries()) {
    const table = logprobTable(adapted, [...all[i]!.promptIds, ...ids]);
    expect(Math.abs(logprobs[0]! - table[all[i]!.promptIds.length - 1]![ids[0]!]!)).toBeLessThan(0.1);
  }
  tf.dispose([...lora.weights.values()]);
});
