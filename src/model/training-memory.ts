import type { TokenPair } from '../training/engine/training-engine.js';
import {
  adapterCount,
  BASE_BYTES,
  BYTES,
  FRAGMENTATION,
  linearCount,
  memoryBytes,
  outOfMemory,
  sum,
  tableCount,
  weightCount,
} from './memory-sizes.js';
import type { ModelConfig } from './model-config.js';
import type { Dtype } from './ops.js';
import { pairTokens } from './packing.js';

/** Packed tokens of one forward and backward pass; a larger pair goes alone. */
export const MAX_PASS_TOKENS = 2048;

/** Rows of logits at once: at a vocabulary of 49,152 that is 200 MB. */
export const MAX_LOGIT_ROWS = 1024;

export interface TrainingSize {
  config: ModelConfig;
  dtype: Dtype;
  /** Of the adapter that is trained; null where all weights are. */
  loraRank: number | null;
  batchSize: number;
}

export interface PeakBytes {
  /** With everything kept that the backward pass reads. */
  kept: number;
  /** With the layers' inputs kept only, see `trainingHiddenStates`. */
  recomputed: number;
}

/** Peak memory of a training, estimated from above: docs/engine.md has it beside measured peaks. */
export function peakBytes(size: TrainingSize, pairs: readonly TokenPair[]): PeakBytes {
  const { config, loraRank, dtype } = size;
  const weights = weightCount(config);
  const trained = loraRank === null ? weights : adapterCount(config, loraRank);
  const products = dtype === 'fp32' ? 0 : BYTES.bf16 * (linearCount(config) + tableCount(config));
  const lasting = 4 * weights + 4 * trained + products;
  const pass = passSize(size, pairs);
  const summed = pass.alone ? 0 : 4 * trained;
  const gradients = 4 * trained + layerBytes(size, pass) + 3 * 4 * (loraRank === null ? tableCount(config) : 0);
  const atMost = (states: number) =>
    BASE_BYTES + FRAGMENTATION * (lasting + Math.max(states + headBytes(size, pass) + summed, gradients));
  return { kept: atMost(config.layers * layerBytes(size, pass)), recomputed: atMost(inputBytes(size, pass)) };
}

interface PassSize {
  tokens: number;
  /** Of the longest pair. */
  longest: number;
  /** Whose log-probability counts. */
  labels: number;
  /** Whether a batch is one pass. */
  alone: boolean;
}

/** The largest pass that a batch of these pairs can make. */
function passSize({ batchSize }: TrainingSize, pairs: readonly TokenPair[]): PassSize {
  const largest = (sizes: number[]) => sizes.toSorted((a, b) => b - a).slice(0, batchSize);
  const tokens = largest(pairs.map(pairTokens));
  const labels = largest(pairs.map(({ chosenIds, rejectedIds }) => chosenIds.length + rejectedIds.length));
  const longest = tokens[0] ?? 0;
  const alone = sum(tokens) <= MAX_PASS_TOKENS;
  const atOnce = alone ? sum(tokens) : Math.max(longest, MAX_PASS_TOKENS);
  // A pair has at most one label more than tokens: both of its completions begin behind the prompt's last token.
  return { tokens: atOnce, longest, labels: Math.min(sum(labels), atOnce + tokens.length), alone };
}

/** Of a `LayerState`. */
function layerBytes({ config, dtype }: TrainingSize, { tokens, longest }: PassSize): number {
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim } = config;
  const inProducts = 2 * heads * headDim + 2 * kvHeads * headDim + 2 * intermediateSize + heads * longest;
  return tokens * (2 * 4 * hiddenSize + BYTES[dtype] * inProducts);
}

/** Of the inputs of all layers, and the state of the one that is being computed again. */
function inputBytes(size: TrainingSize, pass: PassSize): number {
  return 4 * size.config.layers * pass.tokens * size.config.hiddenSize + layerBytes(size, pass);
}

/** Logits and their gradient for some rows at once, and the gradients of all rows in the products' precision. */
function headBytes({ config, dtype }: TrainingSize, { labels }: PassSize): number {
  return config.vocabSize * (2 * 4 * Math.min(labels, MAX_LOGIT_ROWS) + BYTES[dtype] * labels);
}

/**
 * Whether the layers' states have to be computed again for a training to fit in what this process has and can get.
 * @throws DriftError `out-of-memory` where it does not fit in either way
 */
export function mustRecompute(size: TrainingSize, pairs: readonly TokenPair[], memory = memoryBytes()): boolean {
  const { kept, recomputed } = peakBytes(size, pairs);
  if (kept <= memory) return false;
  if (recomputed <= memory) return true;
  throw outOfMemory('Training', recomputed, memory, advice(size, pairs));
}

function advice(size: TrainingSize, pairs: readonly TokenPair[]): string[] {
  const { longest } = passSize(size, pairs);
  const ways = [`shorten the longest pairs (${longest} tokens)`, 'give the process more memory'];
  if (size.dtype === 'fp32') ways.unshift('compute in bf16');
  if (size.loraRank === null) ways.unshift('train an adapter (LoRA) instead of all weights');
  return ways;
}
