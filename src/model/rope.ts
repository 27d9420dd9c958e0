import type { ModelConfig, RopeScaling } from './model-config.js';
import { type Tensor, tf } from './tf.js';

/** Rotation angles of some positions: cosines and sines, each [rows, 1, headDim / 2]. */
export type Rotation = {
  cos: Tensor;
  sin: Tensor;
};

type RopeConfig = Pick<ModelConfig, 'headDim' | 'ropeTheta' | 'ropeScaling'>;

/**
 * What a head's pairs turn by from one position to the next: pair i by theta^(-2i / headDim) (arXiv 2104.09864),
 * scaled as transformers does (`modeling_rope_utils.py`).
 */
export function ropeFrequencies({ headDim, ropeTheta, ropeScaling }: RopeConfig): number[] {
  const half = headDim / 2;
  const frequencies = Array.from({ length: half }, (_, i) => ropeTheta ** (-i / half));
  return ropeScaling === null ? frequencies : frequencies.map((frequency) => scaled(frequency, ropeScaling));
}

function scaled(frequency: number, scaling: RopeScaling): number {
  const slow = frequency / scaling.factor;
  if (scaling.type === 'linear') return slow;
  // Llama 3: what turns seldom within the original context turns slower, what turns often stays, between them both.
  const { lowFrequencyFactor: low, highFrequencyFactor: high, originalMaxPositions } = scaling;
  const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
  const share = Math.min(1, Math.max(0, (turns - low) / (high - low)));
  return (1 - share) * slow + share * frequency;
}

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
