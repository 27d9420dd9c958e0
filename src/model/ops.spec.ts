import { afterAll, expect, test } from 'vitest';
import { backend } from './native.js';
import { cast, matMul } from './ops.js';
import { normals, seededRandom } from './random.js';
import { type Tensor, tf } from './tf.js';

const random = seededRandom(1);
const matrix = (rows: number, columns: number) => tf.tensor2d(normals(rows * columns, 1, random), [rows, columns]);
const [a, b] = [matrix(128, 96), matrix(96, 80)];
const [aTransposed, bTransposed] = [tf.transpose(a), tf.transpose(b)];
afterAll(() => tf.dispose([a, b, aTransposed, bTransposed]));

function relativeError(actual: Tensor, expected: Tensor): number {
  return tf.tidy(() => tf.div(tf.norm(tf.sub(actual, expected)), tf.norm(expected)).dataSync()[0]!);
}

const inBf16 = (x: Tensor, y: Tensor, transposeX = false, transposeY = false) =>
  tf.tidy(() => cast(matMul(cast(x, 'bf16'), cast(y, 'bf16'), transposeX, transposeY), 'fp32'));

test.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])('multiplies in bf16 within 0.5 %% of fp32, and not in fp32 (transposed: %s, %s)', (transposeA, transposeB) => {
  const operands = [transposeA ? aTransposed : a, transposeB ? bTransposed : b, transposeA, transposeB] as const;
  tf.tidy(() => {
    const error = relativeError(inBf16(...operands), tf.matMul(a, b));
    expect(error).toBeLessThan(5e-3);
    expect(error).toBeGreaterThan(1e-4);
    expect(relativeError(matMul(...operands), tf.matMul(a, b))).toBeLessThan(1e-6);
  });
});

test('frees bf16 tensors with their scope', () => {
  inBf16(a, b).dispose();
  const before = [backend.binding.getNumOfTensors(), tf.memory().numTensors];
  for (let i = 0; i < 5; i++) inBf16(a, b).dispose();
  expect([backend.binding.getNumOfTensors(), tf.memory().numTensors]).toEqual(before);
});
