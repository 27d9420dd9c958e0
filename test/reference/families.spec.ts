import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Decoder } from '../../src/model/decoder.js';
import { readModelConfig } from '../../src/model/model-config.js';
import { generate } from '../../src/model/sampling/generate.js';
import { loadWeights } from '../../src/model/weights.js';
import { disposeDecoder, logprobTable } from '../factories/random-decoder.js';

/** What transformers computes with a small random model: `families/make_families.py`. */
interface Expected {
  ids: number[];
  /** Places of the sequence, and the logits of what follows each. */
  rows: number[];
  logits: number[][];
}

/** llama3 has RoPE scaling, biases, an output layer and shards; the others linear scaling, half precision, ties. */
const FAMILIES = ['llama3', 'llama-linear', 'qwen2', 'qwen2-tied'];

const directory = (name: string) => join(import.meta.dirname, 'families', name);

function load(name: string) {
  const config = readModelConfig(directory(name));
  const expected: Expected = JSON.parse(readFileSync(join(directory(name), 'expected.json'), 'utf8'));
  const decoder: Decoder = { config, weights: loadWeights(directory(name), config), lora: null, dtype: 'fp32' };
  return { decoder, ...expected, logprobs: expected.logits.map(logSoftmax) };
}

function logSoftmax(logits: number[]): number[] {
  const sum = Math.log(logits.reduce((total, logit) => total + Math.exp(logit), 0));
  return logits.map((logit) => logit - sum);
}

test.each(FAMILIES)('%s: scores every token as transformers does', (name) => {
  const { decoder, ids, rows, logprobs } = load(name);
  const table = logprobTable(decoder, ids);
  disposeDecoder(decoder);
  for (const [i, row] of rows.entries()) {
    const worst = Math.max(...table[row]!.map((logprob, id) => Math.abs(logprob - logprobs[i]![id]!)));
    expect(worst, `place ${row}`).toBeLessThan(1e-4);
  }
});

test.each(FAMILIES)('%s: samples what transformers finds most probable, through the cache', async (name) => {
  const { decoder, ids, rows, logprobs } = load(name);
  const requests = rows.map((row, seed) => ({ promptIds: ids.slice(0, row + 1), seed }));
  const settings = { temperature: 0, topP: 1, topK: 0, maxNewTokens: 4 };
  const options = { eosIds: [], decode: () => '' };
  const samples = await generate(decoder, requests, settings, options);
  for (const [i, sample] of samples.entries()) {
    const best = logprobs[i]!.indexOf(Math.max(...logprobs[i]!));
    expect(sample.ids[0]).toBe(best);
    expect(Math.abs(sample.logprobs[0]! - logprobs[i]![best]!)).toBeLessThan(1e-4);
    const table = logprobTable(decoder, [...requests[i]!.promptIds, ...sample.ids]);
    const last = table.at(-2)!;
    expect(Math.abs(sample.logprobs[3]! - last[sample.ids[3]!]!)).toBeLessThan(1e-4);
  }
  disposeDecoder(decoder);
});
