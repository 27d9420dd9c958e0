import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dpo } from '../../src/cli/dpo.action.js';
import { score } from '../../src/cli/score.action.js';
import { loadConfig } from '../../src/config/config.js';
import { resolveModelDir } from '../../src/model/default-model.js';
import { Tokenizer } from '../../src/model/tokenizer.js';
import { createTfjsEngine } from '../../src/training/engine/tfjs.engine.js';
import { dpoDefaults } from './dpo-defaults.js';
import { firstLogits } from './first-logits.js';

/** What transformers 5.23 and TRL 1.16 computed with the default model in fp32: see README.md beside the files. */
interface Vector {
  user: string;
  completion: string;
  prompt_ids: number[];
  completion_ids: number[];
  logprobs: number[];
  top10_ids: number[];
  top10_logits: number[];
}

const reference = <T>(name: string): T =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'smollm2-135m', name), 'utf8'));
const vectors = reference<Vector[]>('vectors.json');

const modelDir = resolveModelDir(loadConfig({ DRIFTLOOP_CACHE: process.env.DRIFTLOOP_CACHE }));
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'driftloop-reference-'));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

function jsonLines(name: string, records: unknown[]): string {
  const file = join(dir, name);
  writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  return file;
}

const readLines = <T>(file: string): T[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('the tokenizer', () => {
  const tokenizer = Tokenizer.load(modelDir);

  test.each(reference<{ text: string; ids: number[]; decoded: string }[]>('tokenizer.json'))(
    'turns $text into the ids of the reference and back',
    ({ text, ids, decoded }) => {
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
    },
  );

  test('writes a conversation as the reference does', () => {
    for (const { user, completion, prompt_ids, completion_ids } of vectors) {
      expect(tokenizer.encodeChat([{ role: 'user', content: user }])).toEqual(prompt_ids);
      expect(tokenizer.encodeCompletion(completion)).toEqual(completion_ids);
    }
  });
});

describe('the model', () => {
  test('`score` gives the log-probabilities of the reference, for ids and for text', async () => {
    const records = vectors.flatMap(({ prompt_ids, completion_ids, user, completion }) => [
      { prompt_ids, completion_ids },
      { messages: [{ role: 'user', content: user }], completion },
    ]);
    const out = join(dir, 'scored.jsonl');
    await score({ model: modelDir, in: jsonLines('score.jsonl', records), out });
    const scored = readLines<{ logprobs: number[] }>(out);
    expect(scored).toHaveLength(records.length);
    for (const [i, { logprobs }] of scored.entries()) {
      expectClose(logprobs, vectors[Math.floor(i / 2)]!.logprobs, 1e-3);
    }
  });

  test('ranks the first tokens of a reply as the reference does', () => {
    const logits = firstLogits(modelDir, vectors.map(({ prompt_ids }) => prompt_ids));
    for (const [i, { top10_ids, top10_logits }] of vectors.entries()) {
      const ranked = Array.from(logits[i]!.keys()).sort((a, b) => logits[i]![b]! - logits[i]![a]!);
      for (const [rank, id] of ranked.slice(0, 10).entries()) {
        // Neighbours that are all but equal may swap.
        const expected = top10_logits[top10_ids.indexOf(id)];
        expect(expected, `rank ${rank} of prompt ${i}`).toBeDefined();
        expect(Math.abs(expected! - top10_logits[rank]!)).toBeLessThan(3e-3);
        expect(Math.abs(logits[i]![id]! - expected!)).toBeLessThan(3e-3);
      }
    }
  });

  test('continues greedily as the reference does', async () => {
    const greedy = reference<{ prompt_ids: number[]; greedy_ids: number[] }[]>('greedy.json');
    const policy = await createTfjsEngine().load(modelDir);
    const requests = greedy.map(({ prompt_ids }) => ({ promptIds: prompt_ids, seed: 1 }));
    const samples = await policy.sample(requests, { temperature: 0, topP: 1, topK: 0, maxNewTokens: 80 });
    policy.dispose();
    expect(samples.map(({ ids }) => ids)).toEqual(greedy.map(({ greedy_ids }) => greedy_ids));
    expect(samples.map(({ finish }) => finish)).toEqual(
      greedy.map(({ greedy_ids }) => (greedy_ids.at(-1) === 2 ? 'eos' : 'length')),
    );
  });
});

describe('`dpo` follows TRL step by step', () => {
  interface Step {
    step: number;
    loss: number;
    chosenReward: number;
    rejectedReward: number;
    gradNorm: number;
  }

  async function trace(lr: number, maxSteps?: number): Promise<Step[]> {
    const file = join(dir, `trace-${lr}.jsonl`);
    const out = join(dir, `trained-${lr}`);
    const pairs = jsonLines('pairs.jsonl', reference<unknown[]>('pairs_small32.json'));
    await dpo({ ...dpoDefaults, model: modelDir, pairs, out, trace: file, lr, maxSteps });
    rmSync(out, { recursive: true });
    return readLines<Step>(file);
  }

  test('at a learning rate of 1e-5', async () => {
    const expected = reference<Step[]>('trl_full_lr1e-5.json');
    const steps = await trace(1e-5);
    expect(steps.map(({ step }) => step)).toEqual(expected.map(({ step }) => step));
    for (const [i, step] of steps.entries()) {
      const near = (value: number, target: number) =>
        expect(Math.abs(value - target), `step ${step.step}`).toBeLessThan(Math.max(5e-3, 0.02 * Math.abs(target)));
      near(step.loss, expected[i]!.loss);
      near(step.chosenReward, expected[i]!.chosenReward);
      near(step.rejectedReward, expected[i]!.rejectedReward);
      expect(step.gradNorm / expected[i]!.gradNorm).toBeCloseTo(1, 2);
    }
  });

  test('at the paper’s learning rate, 5e-7, where an update is smaller than a bf16 weight could hold', async () => {
    // The first steps are as well made as all of them, and each takes seconds.
    const expected = reference<Step[]>('trl_full_lr5e-7.json').slice(0, 4);
    const steps = await trace(5e-7, expected.length);
    expect(steps).toHaveLength(expected.length);
    for (const [i, { loss, chosenReward, rejectedReward }] of steps.entries()) {
      expectClose([loss], [expected[i]!.loss], 5e-4);
      expectClose([chosenReward, rejectedReward], [expected[i]!.chosenReward, expected[i]!.rejectedReward], 1e-3);
    }
  });
});

function expectClose(actual: number[], expected: number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length);
  const worst = Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
  expect(worst).toBeLessThan(tolerance);
}
