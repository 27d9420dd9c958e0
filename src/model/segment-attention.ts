import { layerOps } from './layer-ops/choose-ops.js';
import { add, cast, concat, type Dtype, matMul, reshape, slice, transpose } from './ops.js';
import { type Tensor, tf } from './tf.js';

interface Range {
  start: number;
  length: number;
}

/**
 * Rows that see the rows in `keys`, as far as `mask` [length, keys.length], which is added to their scores, lets them.
 * Segments follow each other without a gap. Those whose keys begin in the same row are neighbours, the shorter before
 * the longer.
 */
export interface Segment extends Range {
  keys: Range;
  mask: Tensor;
}

/** Of one segment, for its backward pass, in the products' precision: [kvHeads, group * length, headDim] and, `keys` and `values`, [kvHeads, keys.length, headDim]. */
export type SegmentState = {
  queries: Tensor;
  keys: Tensor;
  values: Tensor;
  /** [kvHeads, group * length, keys.length] */
  probabilities: Tensor;
};

/**
 * Grouped-query attention within each segment. Scores and softmax are fp32, the other products as `dtype` says.
 * @param q [rows, heads, headDim], fp32, scaled by 1 / sqrt(headDim)
 * @param k [rows, kvHeads, headDim], fp32
 * @param v [rows, kvHeads, headDim], in `dtype`
 * @returns output [rows, heads * headDim], in `dtype`
 */
export function attendSegments(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  segments: readonly Segment[],
  dtype: Dtype,
): { output: Tensor; states: SegmentState[] } {
  return tf.tidy(() => {
    const states = segments.map((segment) => segmentState(q, k, v, segment, dtype));
    const outputs = states.map(({ probabilities, values }, i) =>
      fromGroups(matMul(probabilities, values), segments[i]!.length),
    );
    return { output: reshape(concat(outputs), [q.shape[0]!, q.shape[1]! * q.shape[2]!]), states };
  });
}

function segmentState(q: Tensor, k: Tensor, v: Tensor, segment: Segment, dtype: Dtype): SegmentState {
  return tf.tidy(() => {
    const kvHeads = k.shape[1]!;
    const { start, length, mask } = segment;
    const queries = toGroups(slice(q, start, length), kvHeads);
    const keys = toGroups(slice(k, segment.keys.start, segment.keys.length), kvHeads);
    const scores = matMul(queries, keys, false, true);
    return {
      queries: cast(queries, dtype),
      keys: cast(keys, dtype),
      values: toGroups(slice(v, segment.keys.start, segment.keys.length), kvHeads),
      probabilities: layerOps.softmax(scores, mask, dtype),
    };
  });
}

/**
 * Gradients with respect to q (scaled), k and v, shaped like them, in the products' precision.
 * @param dy [rows, heads * headDim], in that precision
 */
export function attendSegmentsBackward(
  dy: Tensor,
  states: readonly SegmentState[],
  segments: readonly Segment[],
  headDim: number,
): { dq: Tensor; dk: Tensor; dv: Tensor } {
  return tf.tidy(() => {
    const heads = reshape(dy, [dy.shape[0]!, dy.shape[1]! / headDim, headDim]);
    const parts = segments.map(({ start, length }, i) =>
      segmentBackward(slice(heads, start, length), states[i]!, length),
    );
    const keyStarts = segments.map(({ keys }) => keys.start);
    return {
      dq: concat(parts.map(({ dq }) => dq)),
      dk: sumByStart(
        parts.map(({ dk }) => dk),
        keyStarts,
      ),
      dv: sumByStart(
        parts.map(({ dv }) => dv),
        keyStarts,
      ),
    };
  });
}

/** Joins what begins in different rows, and adds what begins in the same. */
function sumByStart(parts: readonly Tensor[], starts: readonly number[]): Tensor {
  const sums: Tensor[] = [];
  for (const [i, part] of parts.entries()) {
    if (starts[i] === starts[i - 1]) sums.push(addToFirstRows(part, sums.pop()!));
    else sums.push(part);
  }
  return concat(sums);
}

function addToFirstRows(x: Tensor, terms: Tensor): Tensor {
  return tf.tidy(() => {
    const shared = terms.shape[0]!;
    return concat([add(slice(x, 0, shared), terms), slice(x, shared, x.shape[0]! - shared)]);
  });
}

function segmentBackward(
  dy: Tensor,
  { queries, keys, values, probabilities }: SegmentState,
  length: number,
): { dq: Tensor; dk: Tensor; dv: Tensor } {
  return tf.tidy(() => {
    const [kvHeads, keyLength] = keys.shape as [number, number, number];
    const dOutput = toGroups(dy, kvHeads);
    const dScores = layerOps.softmaxBackward(probabilities, matMul(dOutput, values, false, true));
    return {
      dq: fromGroups(matMul(dScores, keys), length),
      dk: fromGroups(matMul(dScores, queries, true), keyLength),
      dv: fromGroups(matMul(probabilities, dOutput, true), keyLength),
    };
  });
}

/** [length, heads, headDim] -> [kvHeads, group * length, headDim]: the query heads that share keys lie together. */
function toGroups(x: Tensor, kvHeads: number): Tensor {
  const [length, heads, headDim] = x.shape as [number, number, number];
  return tf.tidy(() => reshape(transpose(x, [1, 0, 2]), [kvHeads, (heads / kvHeads) * length, headDim]));
}

/** [kvHeads, group * length, headDim] -> [length, heads, headDim] */
function fromGroups(x: Tensor, length: number): Tensor {
  return tf.tidy(() => transpose(reshape(x, [-1, length, x.shape[2]!]), [1, 0, 2]));
}
