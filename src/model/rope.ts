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

/** A rotation that also multiplies by `scale`, forward and backward. */
export function scaledRotation({ cos, sin }: Rotation, scale: number): Rotation {
  return { cos: tf.mul(cos, scale), sin: tf.mul(sin, scale) };
}
