import { describe, expect, it } from 'vitest';
import { cast, type Dtype } from '../ops.js';
import { normals, seededRandom } from '../random.js';
import { type Tensor, tf } from '../tf.js';
import { hasFusedOps } from './choose-ops.js';
import { fusedOps } from './fused-ops.js';
import type { LayerOps } from './layer-ops.js';
import { plainOps } from './plain-ops.js';

const random = seededRandom(3);
const drawn = (shape: number[], scale = 1) => {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(normals(size, scale, random), shape);
};

/** Half a unit in the last place of bf16, for results that may be rounded the other way, and some for fp32. */
const TOLERANCE: Record<Dtype, number> = { fp32: 2e-6, bf16: 2 ** -7 };

/** Within the tolerance of the largest number. */
function expectClose(actual: Tensor, expected: Tensor, dtype: Dtype, what: string): void {
  expect(actual.shape, what).toEqual(expected.shape);
  const [a, b] = [actual, expected].map((x) => cast(x, 'fp32').dataSync<'float32'>()) as [Float32Array, Float32Array];
  const largest = b.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const worst = a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0);
  expect(worst, what).toBeLessThan(TOLERANCE[dtype] * largest);
}

/** Widths that fill vectors, and one that leaves a rest; enough rows for several threads. */
const SIZES = [
  [700, 128],
  [5, 13],
] as const;

describe.each(['fp32', 'bf16'] as const)('an op of our own gives in %s what TensorFlow’s give', (dtype) => {
  const check = (compute: (ops: LayerOps) => Tensor[]) =>
    tf.tidy(() => {
      const expected = compute(plainOps);
      for (const [i, actual] of compute(fusedOps).entries()) expectClose(actual, expected[i]!, dtype, `output ${i}`);
    });

  it('is built with them on this machine', () => expect(hasFusedOps).toBe(true));

  it.each(SIZES)('for the norm and its gradient (%i x %i)', (rows, width) => {
    const [x, past, weight] = [drawn([rows, width], 3), drawn([rows, width]), drawn([width])];
    const dys = [1, 2, 3].map(() => cast(drawn([rows, width]), dtype));
    check((ops) => {
      const { dx, dWeight } = ops.normBackward(x, weight, 1e-5, dys, past);
      return [ops.norm(x, weight, 1e-5, dtype), dx, dWeight()];
    });
  });

  it.each(SIZES)('for SwiGLU, its gradient and the sum (%i x %i)', (rows, width) => {
    const [gate, up, dy] = [8, 1, 1].map((scale) => cast(drawn([rows, width], scale), dtype)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const x = drawn([rows, width]);
    check((ops) => {
      const { dGate, dUp } = ops.swigluBackward(gate, up, dy);
      return [ops.swiglu(gate, up), dGate, dUp, ops.plus(x, up)];
    });
  });

  it.each([64, 6])('for the rotation and its gradient (heads of %i)', (headDim) => {
    const x = cast(drawn([40, 3, headDim]), dtype);
    const rotation = { cos: drawn([40, 1, headDim / 2]), sin: drawn([40, 1, headDim / 2]) };
    check((ops) => [ops.rotate(x, rotation, 'fp32'), ops.rotate(x, rotation, dtype), ops.rotateBackward(x, rotation)]);
  });

  it.each([200, 7])('for the softmax of masked scores and its gradient (%i keys)', (keys) => {
    const scores = drawn([3, 2 * keys, keys], 4);
    // Causal, and with something hidden in the middle.
    const seen = Array.from(
      { length: keys * keys },
      (_, i) => i % keys <= i / keys && (i % keys !== 1 || i > keys * 3),
    );
    const mask = tf.tensor(
      seen.map((is) => (is ? 0 : -1e9)),
      [keys, keys],
    );
    const dShares = cast(drawn([3, 2 * keys, keys]), dtype);
    check((ops) => {
      const shares = ops.softmax(scores, mask, dtype);
      return [shares, ops.softmaxBackward(cast(shares, dtype), dShares)];
    });
  });
});

it('lets what is not a number through, so that a diverged training is seen', () => {
  tf.tidy(() => {
    const x = tf.tensor2d([[Number.NaN, 1, 2, 3]]);
    for (const y of [
      fusedOps.norm(x, tf.ones([4]), 1e-5, 'bf16'),
      fusedOps.swiglu(x, x),
      fusedOps.softmax(tf.reshape(x, [1, 1, 4]), tf.zeros([1, 4]), 'bf16'),
    ])
      expect(cast(y, 'fp32').dataSync()[0]).toBeNaN();
  });
});
