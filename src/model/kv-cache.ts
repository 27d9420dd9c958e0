import { type Tensor, tf } from './tf.js';

/** Score of a place in the cache that holds nothing, before the softmax. */
const EMPTY = -1e9;

/** After so many tokens the young part is joined to the old one, which is copied only then. */
const YOUNG_TOKENS = 64;

type LayerCache = {
  /** [batch, kvHeads, length, headDim]: prompts, padded on the right, and what was joined since. */
  oldKeys: Tensor;
  oldValues: Tensor;
  /** Tokens generated since; null before the first. */
  youngKeys: Tensor | null;
  youngValues: Tensor | null;
};

/** Keys and values of sequences that are continued together, one token each at a time. It owns its tensors. */
export class KvCache {
  private readonly layers: LayerCache[] = [];
  /** [batch, 1, 1, length]: 0 where the old part holds a token. */
  private mask: Tensor;
  private youngTokens = 0;

  /** @param lengths of the prompts */
  constructor(lengths: readonly number[]) {
    const longest = Math.max(...lengths);
    const holes = lengths.flatMap((length) => Array.from({ length: longest }, (_, i) => (i < length ? 0 : EMPTY)));
    this.mask = tf.tensor4d(holes, [lengths.length, 1, 1, longest]);
  }

  /** Layer by layer: keys and values of each prompt, [kvHeads, length, headDim]. */
  addPrompts(keys: readonly Tensor[], values: readonly Tensor[]): void {
    const longest = this.mask.shape[3]!;
    const join = (parts: readonly Tensor[]) =>
      tf.keep(tf.tidy(() => tf.stack(parts.map((part) => padTo(part, longest)))));
    this.layers.push({ oldKeys: join(keys), oldValues: join(values), youngKeys: null, youngValues: null });
  }

  /**
   * Attention of one new token in each sequence, which joins the cache.
   * @param q [batch, heads, headDim]
   * @param k [batch, kvHeads, headDim]
   * @param v [batch, kvHeads, headDim]
   * @returns [batch, heads * headDim]
   */
  attend(q: Tensor, k: Tensor, v: Tensor, layer: number): Tensor {
    const cache = this.layers[layer]!;
    cache.youngKeys = append(cache.youngKeys, k);
    cache.youngValues = append(cache.youngValues, v);
    const [batch, kvHeads, headDim] = k.shape as [number, number, number];
    const length = this.mask.shape[3]!;
    const queries = tf.mul(tf.reshape(q, [batch, kvHeads, -1, headDim]), 1 / Math.sqrt(headDim));
    const oldScores = tf.add(tf.matMul(queries, cache.oldKeys, false, true), this.mask);
    const scores = tf.concat([oldScores, tf.matMul(queries, cache.youngKeys, false, true)], -1);
    const [old, young] = tf.split(tf.softmax(scores), [length, scores.shape[3]! - length], -1) as [Tensor, Tensor];
    const output = tf.add(tf.matMul(old, cache.oldValues), tf.matMul(young, cache.youngValues));
    return tf.reshape(output, [batch, -1]);
  }

  /** After each token, once all layers attended. */
  advance(): void {
    this.youngTokens += 1;
    if (this.youngTokens < YOUNG_TOKENS) return;
    for (const layer of this.layers) joinYoung(layer);
    const seen = tf.zeros([this.mask.shape[0]!, 1, 1, this.youngTokens]);
    this.mask = replace([this.mask, seen], () => tf.concat([this.mask, seen], -1));
    this.youngTokens = 0;
  }

  /** Goes on with these sequences only. */
  keepRows(rows: readonly number[]): void {
    const indices = tf.tensor1d([...rows], 'int32');
    const pick = (tensor: Tensor) => replace([tensor], () => tf.gather(tensor, indices));
    this.mask = pick(this.mask);
    for (const layer of this.layers) {
      layer.oldKeys = pick(layer.oldKeys);
      layer.oldValues = pick(layer.oldValues);
      layer.youngKeys = layer.youngKeys && pick(layer.youngKeys);
      layer.youngValues = layer.youngValues && pick(layer.youngValues);
    }
    indices.dispose();
  }

  dispose(): void {
    tf.dispose(this.mask);
    for (const { oldKeys, oldValues, youngKeys, youngValues } of this.layers) {
      tf.dispose([oldKeys, oldValues]);
      if (youngKeys !== null && youngValues !== null) tf.dispose([youngKeys, youngValues]);
    }
  }
}

function joinYoung(layer: LayerCache): void {
  const { oldKeys, oldValues, youngKeys, youngValues } = layer;
  if (youngKeys === null || youngValues === null) return;
  layer.oldKeys = replace([oldKeys, youngKeys], () => tf.concat([oldKeys, youngKeys], 2));
  layer.oldValues = replace([oldValues, youngValues], () => tf.concat([oldValues, youngValues], 2));
  layer.youngKeys = null;
  layer.youngValues = null;
}

/** x [batch, kvHeads, headDim] as one more place along the third axis. */
function append(young: Tensor | null, x: Tensor): Tensor {
  return replace(young === null ? [] : [young], () => {
    const place = tf.expandDims(x, 2);
    return young === null ? place : tf.concat([young, place], 2);
  });
}

/** A tensor that outlives scopes, in place of others. */
function replace(old: Tensor[], make: () => Tensor): Tensor {
  const made = tf.keep(tf.tidy(make));
  tf.dispose(old);
  return made;
}

/** [kvHeads, length, headDim] -> [kvHeads, longest, headDim] */
function padTo(x: Tensor, longest: number): Tensor {
  return tf.pad(x, [
    [0, 0],
    [0, longest - x.shape[1]!],
    [0, 0],
  ]);
}
