import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeTinyModel } from '../../../test/factories/tiny-model.js';
import { mergeAdapter } from '../../model/merge-adapter.js';
import { adapterOf } from '../../model/model-source.js';
import { pairLogps } from './pair-logps.js';
import { createTfjsEngine } from './tfjs.engine.js';
import type { DpoSettings, EnginePolicy, LoadOptions, TokenPair } from './training-engine.js';

const SETTINGS: DpoSettings = {
  learningRate: 1e-2,
  beta: 0.1,
  batchSize: 2,
  epochs: 4,
  schedule: 'linear',
  warmupRatio: 0,
  order: 'file',
  maxGradNorm: 1,
  labelSmoothing: 0,
  sftWeight: 0,
  seed: 1,
};
const PAIRS: TokenPair[] = [
  { promptIds: [1, 70, 80], chosenIds: [90, 91, 2], rejectedIds: [100, 2] },
  { promptIds: [1, 71], chosenIds: [92, 2], rejectedIds: [101, 102, 103, 2] },
];

const engine = createTfjsEngine();
let root: string;
let modelDir: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'driftloop-engine-'));
  modelDir = join(root, 'model');
  writeTinyModel(modelDir);
});
afterAll(() => rmSync(root, { recursive: true }));

/** Trains, saves under the name, and resolves to the log-probabilities before and after. */
async function trained(name: string, options?: LoadOptions) {
  const policy = await engine.load(modelDir, options);
  const before = await pairLogps(policy, PAIRS);
  const referenced = PAIRS.map((pair, i) => ({ ...pair, reference: before[i]! }));
  await policy.train(referenced, SETTINGS, () => {});
  const after = await pairLogps(policy, PAIRS);
  const dir = join(root, name);
  mkdirSync(dir);
  await policy.save(dir);
  policy.dispose();
  return { before, after, dir };
}

async function logpsOf(dir: string, options?: LoadOptions) {
  const policy = await engine.load(dir, options);
  const logps = await pairLogps(policy, PAIRS);
  policy.dispose();
  return logps;
}

const json = (dir: string, name: string) => JSON.parse(readFileSync(join(dir, name), 'utf8'));

describe('the tfjs engine', () => {
  test('says before it loads anything that a training cannot fit, or its sampling', async () => {
    const batch = { dtype: 'fp32', loraRank: null, batchSize: 4 } as const;
    const sampled = { sequences: 32, promptTokens: 20, newTokens: 10 };
    await engine.checkMemory(modelDir, batch, PAIRS[0]!, sampled);
    const ids = new Array<number>(2_000_000).fill(1);
    const longest = { promptIds: ids, chosenIds: ids, rejectedIds: ids };
    const refused = { code: 'out-of-memory', message: expect.stringMatching(/^Training /) };
    await expect(engine.checkMemory(modelDir, batch, longest, sampled)).rejects.toMatchObject(refused);
    const long = engine.checkMemory(modelDir, batch, PAIRS[0]!, { ...sampled, promptTokens: 50_000_000 });
    await expect(long).rejects.toMatchObject({ ...refused, message: expect.stringMatching(/^Sampling /) });
  });

  test('computes the same from the directory it saved', async () => {
    const { before, after, dir } = await trained('full');
    expect(after).not.toEqual(before);
    expect(await logpsOf(dir)).toEqual(after);
    expect(json(dir, 'config.json')).toMatchObject({ architectures: ['LlamaForCausalLM'], torch_dtype: 'float32' });
    expect(readFileSync(join(dir, 'chat_template.jinja'))).toEqual(readFileSync(join(modelDir, 'chat_template.jinja')));
    expect(await logpsOf(modelDir)).toEqual(before);
  });

  test('starts a fresh adapter at the base model, and goes on from the PEFT directory it saved', async () => {
    const lora = { rank: 4, alpha: 8, seed: 3 };
    const { before, after, dir } = await trained('adapter', { lora });
    expect(before).toEqual(await logpsOf(modelDir));
    expect(after).not.toEqual(before);
    expect(await logpsOf(modelDir, { lora: { ...lora, initDir: dir } })).toEqual(after);
    expect(json(dir, 'adapter_config.json')).toMatchObject({ peft_type: 'LORA', r: 4, lora_alpha: 8 });
  });

  test('computes the same from the model that an adapter and its base are merged to', async () => {
    const lora = { rank: 4, alpha: 8, seed: 3, targets: ['q_proj', 'down_proj'] as const, dropout: 0.1 };
    const { before, after, dir } = await trained('partial-adapter', { lora });
    expect(json(dir, 'adapter_config.json')).toMatchObject({
      target_modules: ['q_proj', 'down_proj'],
      lora_dropout: 0.1,
    });
    const merged = join(root, 'merged');
    mkdirSync(merged);
    mergeAdapter({ dir: modelDir, lora: adapterOf(dir) }, merged);
    expect(existsSync(join(merged, 'adapter_config.json'))).toBe(false);
    for (const [i, { chosen, rejected }] of (await logpsOf(merged)).entries()) {
      expect(chosen).toBeCloseTo(after[i]!.chosen, 4);
      expect(rejected).toBeCloseTo(after[i]!.rejected, 4);
      expect(Math.abs(chosen - before[i]!.chosen)).toBeGreaterThan(1e-3);
    }
  });

  test('refuses an adapter of other targets, or with tensors that have no place', async () => {
    const { dir } = await trained('targets', { lora: { rank: 2, alpha: 4, seed: 3, targets: ['v_proj'] } });
    const loading = (changes: object) =>
      engine.load(modelDir, { lora: { rank: 2, alpha: 4, seed: 3, initDir: dir, ...changes } });
    await expect(loading({})).rejects.toThrow('asked for were rank 2, alpha 4 and the targets down_proj, gate_proj');
    writeFileSync(
      join(dir, 'adapter_config.json'),
      JSON.stringify({ ...json(dir, 'adapter_config.json'), target_modules: ['q_proj'] }),
    );
    await expect(loading({ targets: ['q_proj'] })).rejects.toThrow('the model has no place for');
    writeFileSync(
      join(dir, 'adapter_config.json'),
      JSON.stringify({ ...json(dir, 'adapter_config.json'), target_modules: ['embed_tokens'] }),
    );
    await expect(loading({})).rejects.toThrow('the target module embed_tokens is none of');
  });

  test('refuses an adapter of another rank', async () => {
    const { dir } = await trained('rank', { lora: { rank: 2, alpha: 4, seed: 3 } });
    const loading = engine.load(modelDir, { lora: { rank: 4, alpha: 8, seed: 3, initDir: dir } });
    await expect(loading).rejects.toMatchObject({ code: 'model-invalid' });
  });

  test('refuses another model’s tokenizer before it loads weights', async () => {
    const other = join(root, 'other');
    cpSync(modelDir, other, { recursive: true });
    rmSync(join(other, 'model.safetensors'));
    const tokenizer = json(other, 'tokenizer.json');
    const write = (changed: object) => writeFileSync(join(other, 'tokenizer.json'), JSON.stringify(changed));
    write({ ...tokenizer, added_tokens: [...tokenizer.added_tokens, { id: 260, content: '<|more|>' }] });
    await expect(engine.load(other)).rejects.toThrow(
      "tokenizer.json has the token id 260 (<|more|>), the model's vocabulary has 260: it belongs to another model.",
    );
    const known = Object.entries(tokenizer.model.vocab).filter(([token]) => token !== '<|im_end|>');
    write({ ...tokenizer, added_tokens: [], model: { ...tokenizer.model, vocab: Object.fromEntries(known) } });
    await expect(engine.load(other)).rejects.toThrow('has no token 2, which ends a reply of the model');
  });

  test('says which ids the model cannot compute', async () => {
    const policy: EnginePolicy = await engine.load(modelDir);
    const score = (promptIds: number[], completionIds: number[]) => policy.logprobs([{ promptIds, completionIds }]);
    await expect(score([1, 260], [2])).rejects.toThrow(
      'Token id 260 is not in the model’s vocabulary'.replace('’', "'"),
    );
    await expect(score([], [2])).rejects.toThrow('A prompt needs at least one token.');
    await expect(score([1], [])).rejects.toThrow('A completion needs at least one token.');
    await expect(score(new Array(4096).fill(1), [2])).rejects.toMatchObject({ code: 'record-invalid' });
    policy.dispose();
  });

  test('samples from the weights as they are after training', async () => {
    const request = { promptIds: [1, 70, 80], seed: 1 };
    const greedy = { temperature: 0, topP: 1, topK: 0, maxNewTokens: 6 };
    const policy = await engine.load(modelDir);
    const before = await policy.sample([request], greedy);
    const reference = await pairLogps(policy, PAIRS);
    const referenced = PAIRS.map((pair, i) => ({ ...pair, reference: reference[i]! }));
    await policy.train(referenced, { ...SETTINGS, epochs: 40, sftWeight: 1 }, () => {});
    const [after] = await policy.sample([request], greedy);
    policy.dispose();
    expect(before[0]!.ids.slice(0, 3)).not.toEqual([90, 91, 2]);
    expect(after).toMatchObject({ ids: [90, 91, 2], finish: 'eos' });
  });
});
