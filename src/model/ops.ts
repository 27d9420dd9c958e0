import { BF16, dtypeOf, execute, executeWithNumbers, FLOAT, flag, INT32, type, whole } from './native.js';
import type { Tensor } from './tf.js';

/** Operations on fp32 and bf16 tensors alike; operands of one dtype, which is the result's too. */
export type Dtype = 'fp32' | 'bf16';

/** TensorFlow's. */
export const NUMBERS: Record<Dtype, number> = { fp32: FLOAT, bf16: BF16 };

/** x in the other precision; x itself where it has this one already. */
export function cast(x: Tensor, dtype: Dtype): Tensor {
  const [from, to] = [dtypeOf(x), NUMBERS[dtype]];
  return from === to ? x : execute('Cast', [type('SrcT', from), type('DstT', to), flag('Truncate', false)], [x]);
}

/** Product of matrices, or of batches of them. */
export function matMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  const t = type('T', dtypeOf(a));
  if (a.rank === 2) {
    return execute('MatMul', [t, flag('transpose_a', transposeA), flag('transpose_b', transposeB)], [a, b]);
  }
  return execute('BatchMatMulV2', [t, flag('adj_x', transposeA), flag('adj_y', transposeB)], [a, b]);
}

export function add(a: Tensor, b: Tensor): Tensor {
  return execute('AddV2', [type('T', dtypeOf(a))], [a, b]);
}

/** dy * sigmoid * (1 - sigmoid), given the sigmoid. */
export function sigmoidBackward(sigmoid: Tensor, dy: Tensor): Tensor {
  return execute('SigmoidGrad', [type('T', dtypeOf(dy))], [sigmoid, dy]);
}

export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  return executeWithNumbers('Reshape', [type('T', dtypeOf(x)), type('Tshape', INT32)], [x], shape);
}

export function transpose(x: Tensor, order: readonly number[]): Tensor {
  return executeWithNumbers('Transpose', [type('T', dtypeOf(x)), type('Tperm', INT32)], [x], order);
}

/** Some neighbouring places along the first axis. */
export function slice(x: Tensor, start: number, length: number): Tensor {
  const begin = x.shape.map((_, axis) => (axis === 0 ? start : 0));
  const size = x.shape.map((whole, axis) => (axis === 0 ? length : whole));
  return executeWithNumbers('Slice', [type('T', dtypeOf(x)), type('Index', INT32)], [x], begin, size);
}

/** Joins along the first axis. */
export function concat(parts: readonly Tensor[]): Tensor {
  if (parts.length === 1) return parts[0]!;
  const attributes = [type('T', dtypeOf(parts[0]!)), type('Tidx', INT32), whole('N', parts.length)];
  return executeWithNumbers('ConcatV2', attributes, parts, 0);
}
