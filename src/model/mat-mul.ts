import { matMulBf16 } from './native.js';
import { type Tensor, tf } from './tf.js';

/** Product of two fp32 matrices, either read transposed. Every product with a weight goes through one of these. */
export type MatMul = (a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean) => Tensor;

export type Dtype = 'fp32' | 'bf16';

/** Below so many rows the weights' cast to bf16 costs more than the product gains. */
const FEWEST_BF16_ROWS = 64;

const fp32: MatMul = (a, b, transposeA = false, transposeB = false) => tf.matMul(a, b, transposeA, transposeB);

const bf16: MatMul = (a, b, transposeA = false, transposeB = false) => {
  const rows = a.shape[0]!;
  return rows < FEWEST_BF16_ROWS ? fp32(a, b, transposeA, transposeB) : matMulBf16(a, b, transposeA, transposeB);
};

export const MAT_MULS: Record<Dtype, MatMul> = { fp32, bf16 };
