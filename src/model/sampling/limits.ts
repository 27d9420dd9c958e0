import type { ModelConfig } from '../model-config.js';

/** Nodes of one forward pass over prompts: more would not fit the processor's caches, fewer leave its cores idle. */
export const MAX_NODES = 1024;
/** Queries of a prompt at once: their scores take heads x stretch x keys, not the square of a long prompt. */
export const STRETCH = 1024;

const MAX_SLOTS = 32;
/** Of keys and values. */
const MAX_CACHE_BYTES = 2 ** 31;

/** Keys and values of so many slots of so many tokens, fp32. */
export function cacheBytes({ layers, kvHeads, headDim }: ModelConfig, slots: number, tokens: number): number {
  return slots * tokens * layers * kvHeads * headDim * 2 * 4;
}

/** Sequences that are continued together: as many as there are, the cache may hold and one batch takes. */
export function slotsFor(config: ModelConfig, sequences: number, longest: number): number {
  const held = Math.floor(MAX_CACHE_BYTES / cacheBytes(config, 1, longest));
  return Math.max(1, Math.min(MAX_SLOTS, sequences, held));
}
