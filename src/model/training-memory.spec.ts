import { describe, expect, test } from 'vitest';
import { TINY_LLAMA } from '../../test/factories/random-decoder.js';
import type { TokenPair } from '../training/engine/training-engine.js';
import { mustRecompute, peakBytes, type TrainingSize } from './training-memory.js';

const GIB = 2 ** 30;

/** As large as the default model. */
const SIZE: TrainingSize = {
  config: {
    ...TINY_LLAMA,
    vocabSize: 49_152,
    hiddenSize: 576,
    intermediateSize: 1536,
    layers: 30,
    heads: 9,
    kvHeads: 3,
    headDim: 64,
  },
  dtype: 'bf16',
  loraRank: null,
  batchSize: 4,
};

const pairs = (promptTokens: number, completionTokens: number, count = 8): TokenPair[] =>
  Array.from({ length: count }, () => ({
    promptIds: new Array<number>(promptTokens).fill(1),
    chosenIds: new Array<number>(completionTokens).fill(1),
    rejectedIds: new Array<number>(completionTokens).fill(1),
  }));

describe('the estimate of a training’s peak memory', () => {
  test('holds weights, gradients and squared gradients at least', () => {
    expect(peakBytes(SIZE, pairs(1, 1)).recomputed).toBeGreaterThan(3 * 4 * 134.5e6);
  });

  test('grows with the longest pairs, not with how many there are', () => {
    const { kept } = peakBytes(SIZE, pairs(256, 96));
    expect(peakBytes(SIZE, pairs(256, 96, 64)).kept).toBe(kept);
    expect(peakBytes(SIZE, pairs(1024, 256)).kept).toBeGreaterThan(kept);
  });

  test('counts the logits of one pass, however many passes a batch is split into', () => {
    const long = pairs(100, 1000, 64);
    const ofBatch = (batchSize: number) => peakBytes({ ...SIZE, batchSize }, long).recomputed / GIB;
    expect(ofBatch(64)).toBeCloseTo(ofBatch(2), 1);
  });

  test('is smaller for adapters, in bf16, and with layers computed again', () => {
    const { kept, recomputed } = peakBytes({ ...SIZE, dtype: 'fp32' }, pairs(256, 96));
    expect(recomputed).toBeLessThan(kept);
    expect(peakBytes(SIZE, pairs(256, 96)).kept).toBeLessThan(kept);
    expect(peakBytes({ ...SIZE, dtype: 'fp32', loraRank: 16 }, pairs(256, 96)).kept).toBeLessThan(kept);
  });
});

describe('a training in limited memory', () => {
  const long = pairs(1024, 256);
  const { kept, recomputed } = peakBytes(SIZE, long);

  test('keeps states where they fit, and computes layers again where only that fits', () => {
    expect(mustRecompute(SIZE, long, kept)).toBe(false);
    expect(mustRecompute(SIZE, long, kept - 1)).toBe(true);
    expect(mustRecompute(SIZE, long, recomputed)).toBe(true);
  });

  test('is refused with advice where nothing fits', () => {
    const refused = () => mustRecompute({ ...SIZE, dtype: 'fp32' }, long, GIB);
    expect(refused).toThrow(expect.objectContaining({ code: 'out-of-memory', facts: expect.anything() }));
    expect(refused).toThrow(/1\.0 GiB can be had: train an adapter \(LoRA\).*bf16.*1534 tokens/);
    expect(() => mustRecompute({ ...SIZE, loraRank: 16 }, long, GIB)).toThrow(/can be had: shorten/);
  });
});
