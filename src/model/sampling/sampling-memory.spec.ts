import { describe, expect, it } from 'vitest';
import { TINY_LLAMA } from '../../../test/factories/random-decoder.js';
import { checkSamplingMemory, type SamplingSize, samplingPeakBytes } from './sampling-memory.js';

const GIB = 2 ** 30;

/** As large as the default model. */
const SIZE: SamplingSize = {
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
};

const peak = (sequences: number, promptTokens: number, newTokens: number) =>
  samplingPeakBytes(SIZE, { sequences, promptTokens, newTokens }) / GIB;

describe('the estimate of sampling’s peak memory', () => {
  it('is above measured peaks, by less than a half', () => {
    // docs/sampling.md: 2.3 GiB for 32 sequences, 1.9 for 8, 1.8 for one.
    for (const [sequences, measured] of [
      [32, 2.3],
      [8, 1.9],
      [1, 1.8],
    ] as const) {
      expect(peak(sequences, 200, 96)).toBeGreaterThan(measured);
      expect(peak(sequences, 200, 96)).toBeLessThan(1.5 * measured);
    }
  });

  it('stops growing where a batch is full, and grows with a long prompt no faster than its length', () => {
    expect(peak(64, 200, 96)).toBe(peak(32, 200, 96));
    expect(peak(1, 8192, 1) - peak(1, 4096, 1)).toBeLessThan(1.1 * (peak(1, 12_288, 1) - peak(1, 8192, 1)));
    expect(peak(1, 8192, 1)).toBeLessThan(2 * peak(1, 4096, 1));
  });
});

it('refuses, with advice, sampling that cannot fit', () => {
  const lengths = { sequences: 32, promptTokens: 2048, newTokens: 512 };
  const needed = samplingPeakBytes(SIZE, lengths);
  expect(() => checkSamplingMemory(SIZE, lengths, needed)).not.toThrow();
  const refused = () => checkSamplingMemory({ ...SIZE, dtype: 'fp32' }, lengths, GIB);
  expect(refused).toThrow(expect.objectContaining({ code: 'out-of-memory', facts: expect.anything() }));
  expect(refused).toThrow(/Sampling .* 1\.0 GiB can be had: compute in bf16.*2048 tokens.*\(512\)/);
});
