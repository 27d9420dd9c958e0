import type { SampledLengths } from '../../training/engine/training-engine.js';
import {
  adapterCount,
  BASE_BYTES,
  BYTES,
  FRAGMENTATION,
  linearCount,
  memoryBytes,
  outOfMemory,
  tableCount,
  weightCount,
} from '../memory-sizes.js';
import type { ModelConfig } from '../model-config.js';
import type { Dtype } from '../ops.js';
import { cacheBytes, MAX_NODES, STRETCH, slotsFor } from './limits.js';

export interface SamplingSize {
  config: ModelConfig;
  dtype: Dtype;
  /** Of the adapter that is merged in; null without one. */
  loraRank: number | null;
}

/** Peak memory of sampling, estimated from above: docs/sampling.md has it beside measured peaks. */
export function samplingPeakBytes(size: SamplingSize, lengths: SampledLengths): number {
  const { config, dtype, loraRank } = size;
  const own = 4 * (weightCount(config) + (loraRank === null ? 0 : adapterCount(config, loraRank)));
  // The head is fp32 whatever the dtype, and is there twice while it is made.
  const ready = BYTES[dtype] * linearCount(config) + 2 * 4 * tableCount(config);
  const longest = lengths.promptTokens + lengths.newTokens;
  const slots = slotsFor(config, lengths.sequences, longest);
  const logits = 3 * 4 * slots * config.vocabSize;
  return (
    BASE_BYTES +
    FRAGMENTATION * (own + ready + cacheBytes(config, slots, longest) + prefillBytes(size, lengths) + logits)
  );
}

/** Of one layer of one pass over prompts: what its products read and make, and scores of a stretch of queries. */
function prefillBytes({ config }: SamplingSize, { promptTokens }: SampledLengths): number {
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim } = config;
  const tokens = Math.max(promptTokens, MAX_NODES);
  const perToken = 6 * hiddenSize + 3 * (heads + 2 * kvHeads) * headDim + 8 * intermediateSize;
  return 4 * (tokens * perToken + 3 * heads * Math.min(STRETCH, tokens) * promptTokens);
}

/** @throws DriftError `out-of-memory` where it does not fit in what this process has and can get */
export function checkSamplingMemory(size: SamplingSize, lengths: SampledLengths, memory = memoryBytes()): void {
  const needed = samplingPeakBytes(size, lengths);
  if (needed <= memory) return;
  const ways = [
    `shorten the longest prompts (${lengths.promptTokens} tokens) or their completions (${lengths.newTokens})`,
    'give the process more memory',
  ];
  if (size.dtype === 'fp32') ways.unshift('compute in bf16');
  throw outOfMemory('Sampling', needed, memory, ways);
}
