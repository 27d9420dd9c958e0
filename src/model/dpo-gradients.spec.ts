import { afterEach, describe, expect, test } from 'vitest';
import {
  disposeDecoder,
  randomDecoder,
  randomIds,
  TINY_LLAMA,
  TINY_QWEN2,
} from '../../test/factories/random-decoder.js';
import type { ReferencedPair } from '../training/engine/training-engine.js';
import type { Decoder } from './decoder.js';
import { addDpoGradients, type PairFigures } from './dpo-gradients.js';
import { Gradients } from './gradients.js';
import { createLora } from './lora.js';
import { forPass, prepareProducts, releaseProducts } from './prepared-decoder.js';
import { seededRandom } from './random.js';
import { type Tensor, tf } from './tf.js';

const SETTINGS = { beta: 0.3, labelSmoothing: 0.1, sftWeight: 0.2 };

function pairs(count: number): ReferencedPair[] {
  const random = seededRandom(7);
  return Array.from({ length: count }, (_, i) => ({
    promptIds: randomIds(3 + i, random),
    chosenIds: randomIds(2 + i, random),
    rejectedIds: randomIds(4 - i, random),
    reference: { chosen: -9 - i, rejected: -11 },
  }));
}

const trainable = ({ weights, lora }: Decoder) => lora?.weights ?? weights;

function addGradients(
  decoder: Decoder,
  batch: ReferencedPair[],
  divisor: number,
  gradients: Gradients,
  recompute = false,
): PairFigures[] {
  const prepared = prepareProducts(decoder);
  const figures = addDpoGradients(forPass(prepared, 5, 1), batch, SETTINGS, divisor, gradients, recompute);
  releaseProducts(prepared);
  return figures;
}

function gradientsOf(decoder: Decoder, batch: ReferencedPair[], divisor = batch.length): Gradients {
  const gradients = new Gradients(new Set(trainable(decoder).keys()));
  addGradients(decoder, batch, divisor, gradients);
  return gradients;
}

function lossOf(decoder: Decoder, batch: ReferencedPair[]): number {
  const figures = addGradients(decoder, batch, 1, new Gradients(new Set()));
  return figures.reduce((sum, { loss }) => sum + loss, 0) / batch.length;
}

/** Slope of the loss along one number of one parameter, from two nearby losses. */
function slope(decoder: Decoder, name: string, index: number, batch: ReferencedPair[]): number {
  const width = 5e-3;
  const parameters = trainable(decoder);
  const original = parameters.get(name)!;
  const at = (shift: number) => {
    const values = original.dataSync<'float32'>().slice();
    values[index]! += shift;
    const shifted = tf.tensor(values, original.shape);
    parameters.set(name, shifted);
    const loss = lossOf(decoder, batch);
    shifted.dispose();
    return loss;
  };
  const result = (at(width) - at(-width)) / (2 * width);
  parameters.set(name, original);
  return result;
}

function expectSlopes(decoder: Decoder, batch: ReferencedPair[]): void {
  const gradients = gradientsOf(decoder, batch);
  for (const [name, tensor] of trainable(decoder)) {
    const gradient = gradients.get(name)!.dataSync<'float32'>();
    for (const index of [0, Math.floor(tensor.size / 2), tensor.size - 1]) {
      const expected = slope(decoder, name, index, batch);
      expect(Math.abs(gradient[index]! - expected), `${name}[${index}]`).toBeLessThan(2e-3 + 0.02 * Math.abs(expected));
    }
  }
  gradients.dispose();
}

describe('the gradient of the DPO loss', () => {
  let decoder: Decoder;
  afterEach(() => disposeDecoder(decoder));

  test.each([TINY_LLAMA, TINY_QWEN2])('agrees with finite differences for $architecture', (config) => {
    decoder = randomDecoder(config);
    expectSlopes(decoder, pairs(2));
  });

  test.each([
    ['all layers', {}],
    ['two kinds of layers', { targets: ['v_proj', 'down_proj'] as const }],
    ['inputs that drop out', { dropout: 0.3 }],
  ])('agrees with finite differences for adapters of %s', (_name, options) => {
    decoder = randomDecoder();
    const lora = createLora(TINY_LLAMA, { rank: 2, alpha: 4, seed: 3, ...options });
    const random = seededRandom(4);
    for (const [name, tensor] of lora.weights) {
      lora.weights.set(
        name,
        tf.tensor(
          Float32Array.from({ length: tensor.size }, () => random() - 0.5),
          tensor.shape,
        ),
      );
      tensor.dispose();
    }
    decoder.lora = lora;
    expectSlopes(decoder, pairs(2));
  });

  test('is the same whether pairs are computed together or one by one', () => {
    decoder = randomDecoder();
    const batch = pairs(3);
    const together = gradientsOf(decoder, batch);
    const summed = new Gradients(new Set(decoder.weights.keys()));
    for (const pair of batch) addGradients(decoder, [pair], batch.length, summed);
    expectSame(decoder, together, summed);
  });

  test('is the same whether two pairs share their prompt’s computation or not', () => {
    decoder = randomDecoder();
    const [pair] = pairs(1) as [ReferencedPair];
    const other = { ...pair, chosenIds: [1, 2, 3], rejectedIds: [4] };
    const shared = gradientsOf(decoder, [pair, other]);
    const apart = new Gradients(new Set(decoder.weights.keys()));
    for (const alone of [pair, other]) addGradients(decoder, [alone], 2, apart);
    expectSame(decoder, shared, apart);
  });

  test('is the same where layers are computed again in the backward pass', () => {
    decoder = randomDecoder();
    const batch = pairs(2);
    const again = new Gradients(new Set(decoder.weights.keys()));
    addGradients(decoder, batch, batch.length, again, true);
    expectSame(decoder, gradientsOf(decoder, batch), again);
  });

  test('leaves no tensor behind but the gradients', () => {
    decoder = randomDecoder();
    gradientsOf(decoder, pairs(2)).dispose();
    const before = tf.memory().numTensors;
    gradientsOf(decoder, pairs(2)).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

function expectSame(decoder: Decoder, a: Gradients, b: Gradients): void {
  const values = (tensor: Tensor | undefined) => [...tensor!.dataSync<'float32'>()];
  for (const name of decoder.weights.keys()) {
    const expected = values(b.get(name));
    for (const [i, value] of values(a.get(name)).entries()) {
      expect(Math.abs(value - expected[i]!), name).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected[i]!)));
    }
  }
  a.dispose();
  b.dispose();
}
