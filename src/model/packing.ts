import type { Completion, TokenIds, TokenPair } from '../training/engine/training-engine.js';
import type { Segment } from './segment-attention.js';
import { tf } from './tf.js';

/** Completions of one prompt, which is computed once. */
export interface Tree {
  promptIds: TokenIds;
  completions: TokenIds[];
}

/** Trees laid out in one row of tokens without padding. It owns the masks in its segments. */
export interface PackedBatch {
  ids: number[];
  positions: number[];
  segments: Segment[];
  /** Rows whose output predicts a completion token, and that token. */
  rows: number[];
  labels: number[];
  /** How many labels each completion has, in order. */
  lengths: number[];
}

/** Score of what must not be seen, before the softmax. */
const HIDDEN = -1e9;

/** Tokens that a tree takes: nothing is predicted from a completion's last one. */
export function treeTokens({ promptIds, completions }: Tree): number {
  return completions.reduce((sum, completion) => sum + completion.length - 1, promptIds.length);
}

/** Tokens of a pair whose prompt is computed once. */
export function pairTokens({ promptIds, chosenIds, rejectedIds }: TokenPair): number {
  return treeTokens({ promptIds, completions: [chosenIds, rejectedIds] });
}

/** Neighbouring completions of the same prompt, as trees. */
export function groupByPrompt(completions: readonly Completion[]): Tree[] {
  const trees: Tree[] = [];
  for (const { promptIds, completionIds } of completions) {
    const last = trees.at(-1);
    if (last !== undefined && sameIds(last.promptIds, promptIds)) last.completions.push(completionIds);
    else trees.push({ promptIds, completions: [completionIds] });
  }
  return trees;
}

function sameIds(a: TokenIds, b: TokenIds): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

/** Consecutive trees together while they stay within a budget of tokens; a larger tree goes alone. */
export function splitByTokens(trees: readonly Tree[], maxTokens: number): Tree[][] {
  const batches: Tree[][] = [];
  let room = 0;
  for (const tree of trees) {
    const tokens = treeTokens(tree);
    if (tokens > room) {
      batches.push([]);
      room = maxTokens;
    }
    batches.at(-1)!.push(tree);
    room -= tokens;
  }
  return batches;
}

/** Each completion goes on from its prompt: it sees the prompt and itself, at the positions it would have alone. */
export function pack(trees: readonly Tree[]): PackedBatch {
  const batch: PackedBatch = { ids: [], positions: [], segments: [], rows: [], labels: [], lengths: [] };
  for (const tree of trees) addTree(batch, tree);
  return batch;
}

function addTree(batch: PackedBatch, { promptIds, completions }: Tree): void {
  const start = batch.ids.length;
  const branches = promptIds.map(() => -1);
  batch.ids.push(...promptIds);
  batch.positions.push(...promptIds.map((_, i) => i));
  for (const [branch, completion] of completions.entries()) {
    const inputs = completion.slice(0, -1);
    batch.rows.push(start + promptIds.length - 1, ...inputs.map((_, i) => batch.ids.length + i));
    batch.labels.push(...completion);
    batch.lengths.push(completion.length);
    batch.ids.push(...inputs);
    batch.positions.push(...inputs.map((_, i) => promptIds.length + i));
    branches.push(...inputs.map(() => branch));
  }
  batch.segments.push(segment(start, branches, 0, promptIds.length));
  // No token of the prompt sees a completion: leaving those scores out saves a quarter of a tree's attention.
  if (branches.length > promptIds.length)
    batch.segments.push(segment(start, branches, promptIds.length, branches.length));
}

/** Places `from` to `to` of a tree, which see the tree up to `to`. */
function segment(treeStart: number, branches: readonly number[], from: number, to: number): Segment {
  const mask = treeMask(branches, from, to);
  return { start: treeStart + from, length: to - from, keys: { start: treeStart, length: to }, mask };
}

/** Additive mask [to - from, to]; `branches` names each token's completion, -1 the prompt. */
function treeMask(branches: readonly number[], from: number, to: number) {
  const mask = new Float32Array((to - from) * to).fill(HIDDEN);
  for (let query = from; query < to; query++) {
    for (let key = 0; key <= query; key++) {
      if (branches[key] === -1 || branches[key] === branches[query]) mask[(query - from) * to + key] = 0;
    }
  }
  return tf.tensor2d(mask, [to - from, to]);
}

export function disposeBatch(batch: PackedBatch): void {
  tf.dispose(batch.segments.map(({ mask }) => mask));
}
