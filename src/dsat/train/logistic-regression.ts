import type { FeatureVector } from '../feature-vector.js';
import { softmax } from '../softmax.js';
import { lbfgs } from './lbfgs.js';

/** Sparse rows, one an example. */
export interface Row {
  indices: Int32Array;
  values: Float32Array;
}

export interface Example {
  row: Row;
  /** Probability of each class. */
  target: readonly number[];
  /** How much it counts. */
  weight: number;
}

/** Weights of `classes` outputs: `weights[bucket * classes + class]`. */
export interface LinearWeights {
  classes: number;
  weights: Float64Array;
  bias: Float64Array;
}

export function copyRow(vector: FeatureVector): Row {
  return { indices: vector.indices.slice(0, vector.size), values: vector.values.slice(0, vector.size) };
}

/**
 * Multinomial logistic regression: weighted cross-entropy plus `l2` / 2 times the squared weights (not the bias).
 * The same examples in the same order give the same weights.
 */
export function trainLogisticRegression(
  examples: Example[],
  classes: number,
  buckets: number,
  l2: number,
): LinearWeights {
  const columns = compact(examples, buckets);
  const point = new Float64Array((columns.used.length + 1) * classes);
  lbfgs((at, gradient) => loss(examples, columns, classes, l2, at, gradient), point, {
    maxIterations: 200,
    tolerance: 1e-3,
  });
  const weights = new Float64Array(buckets * classes);
  columns.used.forEach((bucket, column) => {
    weights.set(point.subarray(column * classes, (column + 1) * classes), bucket * classes);
  });
  return { classes, weights, bias: point.slice(columns.used.length * classes) };
}

interface Columns {
  /** Bucket of each column. */
  used: number[];
  rows: Int32Array[];
}

/** Only buckets that occur get a column: the optimizer's vectors stay small. */
function compact(examples: Example[], buckets: number): Columns {
  const columnOf = new Int32Array(buckets).fill(-1);
  const used: number[] = [];
  const rows = examples.map(({ row }) =>
    row.indices.map((bucket) => {
      if (columnOf[bucket] === -1) columnOf[bucket] = used.push(bucket) - 1;
      return columnOf[bucket]!;
    }),
  );
  return { used, rows };
}

function loss(
  examples: Example[],
  { used, rows }: Columns,
  classes: number,
  l2: number,
  at: Float64Array,
  gradient: Float64Array,
): number {
  const bias = used.length * classes;
  const scores = new Float64Array(classes);
  let total = 0;
  for (let i = 0; i < bias; i++) {
    total += 0.5 * l2 * at[i]! * at[i]!;
    gradient[i] = l2 * at[i]!;
  }
  gradient.fill(0, bias);
  examples.forEach(({ row, target, weight }, example) => {
    const columns = rows[example]!;
    for (let c = 0; c < classes; c++) scores[c] = at[bias + c]!;
    for (let i = 0; i < columns.length; i++) {
      const base = columns[i]! * classes;
      for (let c = 0; c < classes; c++) scores[c]! += at[base + c]! * row.values[i]!;
    }
    softmax(scores);
    for (let c = 0; c < classes; c++) {
      total -= weight * target[c]! * Math.log(Math.max(scores[c]!, 1e-300));
      scores[c] = weight * (scores[c]! - target[c]!);
    }
    for (let c = 0; c < classes; c++) gradient[bias + c]! += scores[c]!;
    for (let i = 0; i < columns.length; i++) {
      const base = columns[i]! * classes;
      for (let c = 0; c < classes; c++) gradient[base + c]! += scores[c]! * row.values[i]!;
    }
  });
  return total;
}
