import { type RopeConfig, ropeFrequencies } from './rope-frequencies.js';
import { type Tensor, tf } from './tf.js';

/** Rotation angles of some positions: cosines and sines, each [rows, 1, headDim / 2]. */
export type Rotation = {
  cos: Tensor;
  sin: Tensor;
};

export function rotationOf(positions: readonly number[], config: RopeConfig): Rotation {
  const frequencies = ropeFrequencies(config);
  const angles = positions.flatMap((position) => frequencies.map((frequency) => position * frequency));
  const shape: [number, number, number] = [positions.length, 1, frequencies.length];
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

/** A rotation that also multiplies by `scale`, forward and backward. */
export function scaledRotation({ cos, sin }: Rotation, scale: number): Rotation {
  return { cos: tf.mul(cos, scale), sin: tf.mul(sin, scale) };
}
