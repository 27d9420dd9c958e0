import { type Tensor, tf } from './tf.js';

/** Rows `start` to `start + length` are one sequence; `mask` [length, length] is added to its scores. */
export interface Segment {
  start: number;
  length: number;
  mask: Tensor;
}

/** Of one segment, for its backward pass: [kvHeads, group * length, headDim] and, `keys` and `values`, [kvHeads, length, headDim]. */
export type SegmentState = {
  scaledQueries: Tensor;
  keys: Tensor;
  values: Tensor;
  /** [kvHeads, group * length, length] */
  probabilities: Tensor;
};

/**
 * Grouped-query attention within each segment.
 * @param q [rows, heads, headDim]
 * @param k [rows, kvHeads, headDim]
 * @param v [rows, kvHeads, headDim]
 * @returns output [rows, heads * headDim]
 */
export function attend(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  segments: readonly Segment[],
): { output: Tensor; states: SegmentState[] } {
  return tf.tidy(() => {
    const states = segments.map((segment) => segmentState(q, k, v, segment));
    const outputs = states.map(({ probabilities, values }, i) =>
      fromGroups(tf.matMul(probabilities, values), segments[i]!.length),
    );
    const merged = outputs.length === 1 ? outputs[0]! : tf.concat(outputs, 0);
    return { output: tf.reshape(merged, [merged.shape[0]!, -1]), states };
  });
}

function segmentState(q: Tensor, k: Tensor, v: Tensor, { start, length, mask }: Segment): SegmentState {
  const kvHeads = k.shape[1]!;
  const scale = 1 / Math.sqrt(q.shape[2]!);
  const scaledQueries = tf.mul(toGroups(tf.slice(q, start, length), kvHeads), scale);
  const keys = toGroups(tf.slice(k, start, length), kvHeads);
  const values = toGroups(tf.slice(v, start, length), kvHeads);
  const scores = tf.matMul(scaledQueries, keys, false, true);
  const masked = tf.add(tf.reshape(scores, [-1, length, length]), mask);
  const probabilities = tf.reshape(tf.softmax(masked), scores.shape);
  return { scaledQueries, keys, values, probabilities };
}

/**
 * Gradients with respect to q, k and v, shaped like them.
 * @param dy [rows, heads * headDim], as is `output`
 */
export function attendBackward(
  dy: Tensor,
  output: Tensor,
  states: readonly SegmentState[],
  segments: readonly Segment[],
  headDim: number,
): { dq: Tensor; dk: Tensor; dv: Tensor } {
  return tf.tidy(() => {
    const heads = tf.reshape(dy, [dy.shape[0]!, -1, headDim]);
    const along = tf.sum(tf.mul(heads, tf.reshape(output, heads.shape)), -1, true);
    const parts = segments.map(({ start, length }, i) =>
      segmentBackward(tf.slice(heads, start, length), tf.slice(along, start, length), states[i]!, length),
    );
    const merge = (name: 'dq' | 'dk' | 'dv') =>
      tf.concat(
        parts.map((part) => part[name]),
        0,
      );
    return { dq: merge('dq'), dk: merge('dk'), dv: merge('dv') };
  });
}

/** @param along sum of dy * output over each head, [length, heads, 1]: what the softmax takes off its gradient */
function segmentBackward(
  dy: Tensor,
  along: Tensor,
  state: SegmentState,
  length: number,
): { dq: Tensor; dk: Tensor; dv: Tensor } {
  return tf.tidy(() => {
    const { scaledQueries, keys, values, probabilities } = state;
    const [kvHeads, , headDim] = keys.shape as [number, number, number];
    const dOutput = toGroups(dy, kvHeads);
    const dProbabilities = tf.matMul(dOutput, values, false, true);
    const dScores = tf.mul(probabilities, tf.sub(dProbabilities, toGroups(along, kvHeads)));
    return {
      dq: fromGroups(tf.mul(tf.matMul(dScores, keys), 1 / Math.sqrt(headDim)), length),
      dk: fromGroups(tf.matMul(dScores, scaledQueries, true), length),
      dv: fromGroups(tf.matMul(probabilities, dOutput, true), length),
    };
  });
}

/** [length, heads, headDim] -> [kvHeads, group * length, headDim]: the query heads that share keys lie together. */
function toGroups(x: Tensor, kvHeads: number): Tensor {
  const [length, heads, headDim] = x.shape as [number, number, number];
  return tf.reshape(tf.transpose(x, [1, 0, 2]), [kvHeads, (heads / kvHeads) * length, headDim]);
}

/** [kvHeads, group * length, headDim] -> [length, heads, headDim] */
function fromGroups(x: Tensor, length: number): Tensor {
  const headDim = x.shape[2]!;
  return tf.transpose(tf.reshape(x, [-1, length, headDim]), [1, 0, 2]);
}
