import { afterAll, expect, test } from 'vitest';
import { MAT_MULS } from './mat-mul.js';
import { normals, seededRandom } from './random.js';
import { type Tensor, tf } from './tf.js';

const random = seededRandom(1);
const matrix = (rows: number, columns: number) => tf.tensor2d(normals(rows * columns, 1, random), [rows, columns]);
const [a, b] = [matrix(128, 96), matrix(96, 80)];
const [aTransposed, bTransposed] = [tf.transpose(a), tf.transpose(b)];
afterAll(() => tf.dispose([a, b, aTransposed, bTransposed]));

function relativeError(actual: Tensor, expected: Tensor): number {
  const error = tf.tidy(() => tf.div(tf.norm(tf.sub(actual, expected)), tf.norm(expected)).dataSync()[0]!);
  tf.dispose([actual, expected]);
  return error;
}

test.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])('multiplies in bf16 within 0.5 %% of fp32, and not in fp32 (transposed: %s, %s)', (transposeA, transposeB) => {
  const operands = [transposeA ? aTransposed : a, transposeB ? bTransposed : b, transposeA, transposeB] as const;
  const error = relativeError(MAT_MULS.bf16(...operands), MAT_MULS.fp32(a, b));
  expect(error).toBeLessThan(5e-3);
  expect(error).toBeGreaterThan(1e-4);
});

test('multiplies few rows in fp32, where casting the weights would cost more', () => {
  const few = tf.slice(a, 0, 8);
  expect(relativeError(MAT_MULS.bf16(few, b), MAT_MULS.fp32(few, b))).toBe(0);
  few.dispose();
});

test('frees what it casts', () => {
  const { binding } = tf.backend() as ReturnType<typeof tf.backend> & { binding: { getNumOfTensors(): number } };
  MAT_MULS.bf16(a, b).dispose();
  const before = binding.getNumOfTensors();
  for (let i = 0; i < 5; i++) MAT_MULS.bf16(a, b).dispose();
  expect(binding.getNumOfTensors()).toBe(before);
});
