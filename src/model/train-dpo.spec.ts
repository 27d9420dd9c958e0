import { afterEach, describe, expect, test } from 'vitest';
import { PlainDpo } from '../../test/factories/plain-dpo.js';
import {
  disposeDecoder,
  randomDecoder,
  randomIds,
  TINY_LLAMA,
  TINY_QWEN2,
  valuesOf,
} from '../../test/factories/random-decoder.js';
import type { DpoSettings, ReferencedPair, TrainingStep } from '../training/engine/training-engine.js';
import type { Decoder } from './decoder.js';
import { addDpoGradients } from './dpo-gradients.js';
import { Gradients } from './gradients.js';
import { completionLogprobs } from './logprobs.js';
import { createLora } from './lora.js';
import { backend } from './native.js';
import { prepareProducts } from './prepared-decoder.js';
import { seededRandom } from './random.js';
import { tf } from './tf.js';
import { trainDpo } from './train-dpo.js';

const SETTINGS: DpoSettings = {
  learningRate: 1e-2,
  beta: 0.1,
  batchSize: 2,
  epochs: 1,
  schedule: 'constant',
  warmupRatio: 0,
  order: 'shuffled',
  maxGradNorm: 1,
  labelSmoothing: 0,
  sftWeight: 0,
  seed: 5,
};

/** Pairs whose reference is the decoder as it is. */
async function referencedPairs(decoder: Decoder, count = 6, promptTokens = 4): Promise<ReferencedPair[]> {
  const random = seededRandom(11);
  const pairs = Array.from({ length: count }, () => ({
    promptIds: randomIds(promptTokens, random),
    chosenIds: randomIds(3, random),
    rejectedIds: randomIds(5, random),
  }));
  const sum = async (promptIds: number[], completionIds: number[]) => {
    const [logprobs] = await completionLogprobs(decoder, [{ promptIds, completionIds }]);
    return logprobs!.reduce((total, logprob) => total + logprob, 0);
  };
  return Promise.all(
    pairs.map(async (pair) => ({
      ...pair,
      reference: {
        chosen: await sum(pair.promptIds, pair.chosenIds),
        rejected: await sum(pair.promptIds, pair.rejectedIds),
      },
    })),
  );
}

async function train(decoder: Decoder, pairs: ReferencedPair[], settings: Partial<DpoSettings> = {}) {
  const steps: TrainingStep[] = [];
  await trainDpo(decoder, pairs, { ...SETTINGS, ...settings }, (step) => void steps.push(step));
  return steps;
}

/** Largest difference between two models' numbers. */
function farthest(a: Decoder['weights'], b: Decoder['weights']): number {
  const differences = [...a].map(([name, tensor]) =>
    tf.tidy(() => tf.max(tf.abs(tf.sub(tensor, b.get(name)!))).dataSync()[0]!),
  );
  return Math.max(...differences);
}

describe('training by DPO', () => {
  const decoders: Decoder[] = [];
  const decoder = (seed = 1) => {
    const made = randomDecoder(TINY_LLAMA, seed);
    decoders.push(made);
    return made;
  };
  afterEach(() => decoders.splice(0).forEach(disposeDecoder));

  test('starts at margin 0 where the reference is the policy, and ends with all pairs told apart', async () => {
    const policy = decoder();
    const steps = await train(policy, await referencedPairs(policy), { epochs: 40 });
    expect(steps).toHaveLength(120);
    expect(steps[0]!.margin).toBeCloseTo(0, 5);
    expect(steps[0]!.loss).toBeCloseTo(Math.LN2, 5);
    const last = steps.slice(-3);
    expect(last.every(({ accuracy, margin }) => accuracy === 1 && margin > 1)).toBe(true);
    expect(last.every(({ rejectedReward }) => rejectedReward < 0)).toBe(true);
  });

  test('gives the same weights for the same seed, and others for another', async () => {
    const pairs = await referencedPairs(decoder());
    const run = async (seed: number) => {
      const policy = decoder();
      await train(policy, pairs, { seed });
      return valuesOf(policy.weights);
    };
    const first = await run(5);
    expect(await run(5)).toEqual(first);
    expect(await run(6)).not.toEqual(first);
  });

  test('computes the same gradient when a batch does not fit in one pass', async () => {
    const policy = decoder();
    // 2 x 1,106 packed tokens are more than one pass takes.
    const pairs = await referencedPairs(policy, 2, 1_100);
    const gradients = new Gradients(new Set(policy.weights.keys()));
    const figures = addDpoGradients(prepareProducts(policy), pairs, SETTINGS, 2, gradients);
    const expected = gradients.norm();
    gradients.dispose();
    const [step] = await train(policy, pairs, { maxSteps: 1, order: 'file' });
    expect(step!.gradNorm / expected).toBeCloseTo(1, 4);
    expect(step!.loss).toBeCloseTo((figures[0]!.loss + figures[1]!.loss) / 2, 4);
  });

  test.each([TINY_LLAMA, TINY_QWEN2])(
    'makes the weights that plain code makes in 8 steps, for $architecture',
    async (config) => {
      const policy = randomDecoder(config);
      decoders.push(policy);
      const settings = { ...SETTINGS, batchSize: 3, epochs: 4, order: 'file' as const, learningRate: 1e-3 };
      const pairs = await referencedPairs(policy);
      const plain = new PlainDpo(policy);
      const steps = await train(policy, pairs, settings);
      expect(steps).toHaveLength(8);
      for (const [i, step] of steps.entries()) {
        const start = (i % 2) * 3;
        const expected = plain.step(pairs.slice(start, start + 3), settings);
        for (const name of ['loss', 'chosenReward', 'rejectedReward', 'gradNorm'] as const) {
          expect(Math.abs(step[name] - expected[name]), `${name} of step ${step.step}`).toBeLessThan(
            1e-4 * Math.max(1, Math.abs(expected[name])),
          );
        }
      }
      expect(farthest(policy.weights, plain.weights)).toBeLessThan(1e-4);
      plain.dispose();
    },
  );

  test('in bf16 starts at margin 0 too, and comes near to the rewards of fp32', async () => {
    const [policy, other] = [decoder(), decoder()];
    policy.dtype = 'bf16';
    const settings = { epochs: 4, learningRate: 1e-3 };
    const steps = await train(policy, await referencedPairs(policy), settings);
    const expected = await train(other, await referencedPairs(other), settings);
    expect(steps[0]!.margin).toBeCloseTo(0, 6);
    for (const [i, { loss }] of steps.entries()) expect(loss / expected[i]!.loss).toBeCloseTo(1, 1);
    expect(steps.at(-1)!.margin / expected.at(-1)!.margin).toBeCloseTo(1, 1);
  });

  test('moves adapters only, and leaves the weights under them as they were', async () => {
    const policy = decoder();
    const before = valuesOf(policy.weights);
    policy.lora = createLora(TINY_LLAMA, { rank: 2, alpha: 4, seed: 1 });
    const adapterBefore = valuesOf(policy.lora.weights);
    const steps = await train(policy, await referencedPairs(policy), { epochs: 20 });
    expect(valuesOf(policy.weights)).toEqual(before);
    expect(valuesOf(policy.lora.weights)).not.toEqual(adapterBefore);
    expect(steps.at(-1)!.margin).toBeGreaterThan(0.1);
  });

  test('leaves another model’s weights as they were', async () => {
    const [policy, reference] = [decoder(), decoder()];
    const before = valuesOf(reference.weights);
    await train(policy, await referencedPairs(policy));
    expect(valuesOf(reference.weights)).toEqual(before);
  });

  test.each([
    { dtype: 'fp32', adapter: false },
    { dtype: 'bf16', adapter: false },
    { dtype: 'bf16', adapter: true },
  ] as const)('holds no more tensors after a training than before ($dtype, adapter: $adapter)', async (kind) => {
    const policy = decoder();
    policy.dtype = kind.dtype;
    if (kind.adapter) policy.lora = createLora(TINY_LLAMA, { rank: 2, alpha: 4, seed: 1 });
    const pairs = await referencedPairs(policy);
    const held = () => [tf.memory().numTensors, backend.binding.getNumOfTensors()].join();
    await train(policy, pairs, { maxSteps: 1 });
    const before = held();
    const during: string[] = [];
    await trainDpo(policy, pairs, { ...SETTINGS, epochs: 3 }, () => void during.push(held()));
    expect(new Set(during.slice(1)).size).toBe(1);
    expect(held()).toBe(before);
  });

  test('takes pairs in file order or shuffled anew in each epoch', async () => {
    const policy = decoder();
    const pairs = await referencedPairs(policy);
    const firstLogps = async (order: DpoSettings['order']) => {
      const steps = await train(policy, pairs, { order, batchSize: 1, epochs: 2, learningRate: 1e-12 });
      return steps.map(({ chosenLogps }) => Math.round(chosenLogps * 1000));
    };
    const file = pairs.map(({ reference }) => Math.round(reference.chosen * 1000));
    expect(await firstLogps('file')).toEqual([...file, ...file]);
    const shuffled = await firstLogps('shuffled');
    const [first, second] = [shuffled.slice(0, 6), shuffled.slice(6)];
    expect(first.toSorted()).toEqual(file.toSorted());
    expect(second.toSorted()).toEqual(file.toSorted());
    expect(first).not.toEqual(file);
    expect(second).not.toEqual(first);
  });

  test('refuses to go on from a loss that is not finite, weights untouched', async () => {
    const policy = decoder();
    const before = valuesOf(policy.weights);
    const [pair] = await referencedPairs(policy, 1);
    const broken = { ...pair!, reference: { chosen: Number.NaN, rejected: 0 } };
    await expect(train(policy, [broken])).rejects.toMatchObject({ code: 'training-diverged' });
    expect(valuesOf(policy.weights)).toEqual(before);
  });

  test('stops between two steps when asked', async () => {
    const policy = decoder();
    const pairs = await referencedPairs(policy);
    const controller = new AbortController();
    let steps = 0;
    const training = trainDpo(
      policy,
      pairs,
      SETTINGS,
      () => {
        steps += 1;
        controller.abort();
      },
      controller.signal,
    );
    await expect(training).rejects.toMatchObject({ code: 'interrupted' });
    expect(steps).toBe(1);
  });
});
