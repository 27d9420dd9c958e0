import { type Tensor, tf } from './tf.js';

/** Rotation angles of some positions: cosines and sines, each [rows, 1, headDim / 2]. */
export type Rotation = {
  cos: Tensor;
  sin: Tensor;
};

/** Rotary position embedding (arXiv 2104.09864): pair i of a head turns by position * theta^(-2i / headDim). */
export function rotationOf(positions: readonly number[], headDim: number, theta: number): Rotation {
  const half = headDim / 2;
  const frequencies = Array.from({ length: half }, (_, i) => theta ** (-i / half));
  const angles = positions.flatMap((position) => frequencies.map((frequency) => position * frequency));
  const shape: [number, number, number] = [positions.length, 1, half];
  return {
    cos: tf.tensor3d(Float32Array.from(angles, Math.cos), shape),
    sin: tf.tensor3d(Float32Array.from(angles, Math.sin), shape),
  };
}

/** Turns x [rows, heads, headDim]; the halves of a head are the pairs' two coordinates, as in Hugging Face's Llama. */
export function rotate(x: Tensor, { cos, sin }: Rotation): Tensor {
  return tf.tidy(() => {
    const [a, b] = tf.split(x, 2, -1) as [Tensor, Tensor];
    return tf.concat([tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(b, cos), tf.mul(a, sin))], -1);
  });
}

/** The gradient turns the other way. */
export function rotateBackward(dy: Tensor, { cos, sin }: Rotation): Tensor {
  return tf.tidy(() => rotate(dy, { cos, sin: tf.neg(sin) }));
}
