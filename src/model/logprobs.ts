import type { Completion } from '../training/engine/training-engine.js';
import type { Decoder } from './decoder.js';
import { labelLogprobs } from './head.js';
import { disposeBatch, groupByPrompt, pack, splitByTokens, type Tree } from './packing.js';
import { type PreparedDecoder, prepareProducts, releaseProducts } from './prepared-decoder.js';
import { segmentHiddenStates } from './segment-pass.js';
import { tf } from './tf.js';

/** Tokens of one forward pass without gradients: about half a gigabyte at 135M parameters. */
const MAX_TOKENS = 2048;

/**
 * Log-probability of each completion token given what precedes it, natural log, in the order of the completions.
 * Neighbours that share a prompt share its computation.
 */
export async function completionLogprobs(
  decoder: Decoder,
  completions: readonly Completion[],
  onProgress?: (done: number) => void,
): Promise<Float32Array[]> {
  const results: Float32Array[] = [];
  const prepared = prepareProducts(decoder);
  try {
    for (const trees of splitByTokens(groupByPrompt(completions), MAX_TOKENS)) {
      results.push(...treeLogprobs(prepared, trees));
      onProgress?.(results.length);
      await new Promise(setImmediate);
    }
  } finally {
    releaseProducts(prepared);
  }
  return results;
}

function treeLogprobs(decoder: PreparedDecoder, trees: Tree[]): Float32Array[] {
  const batch = pack(trees);
  const logprobs = tf.tidy(() => {
    const hidden = tf.gather(segmentHiddenStates(decoder, batch), tf.tensor1d(batch.rows, 'int32'));
    return labelLogprobs(decoder, hidden, tf.tensor1d(batch.labels, 'int32')).dataSync<'float32'>();
  });
  disposeBatch(batch);
  return splitAt(logprobs, batch.lengths);
}

function splitAt(values: Float32Array, lengths: readonly number[]): Float32Array[] {
  let end = 0;
  return lengths.map((length) => {
    end += length;
    return values.slice(end - length, end);
  });
}
