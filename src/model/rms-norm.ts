import { type Tensor, tf } from './tf.js';

const inverseRoot = (x: Tensor, eps: number) => tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), eps));

/** x / sqrt(mean(x^2) + eps) * weight; x [rows, width]. */
export function rmsNorm(x: Tensor, weight: Tensor, eps: number): Tensor {
  return tf.tidy(() => tf.mul(tf.mul(x, inverseRoot(x, eps)), weight));
}

/** Gradient with respect to x and, computed when called, to the weight. */
export function rmsNormBackward(
  x: Tensor,
  weight: Tensor,
  eps: number,
  dy: Tensor,
): { dx: Tensor; dWeight: () => Tensor } {
  const dx = tf.tidy(() => {
    const root = inverseRoot(x, eps);
    const normed = tf.mul(x, root);
    const scaled = tf.mul(dy, weight);
    const along = tf.mean(tf.mul(scaled, normed), -1, true);
    return tf.mul(root, tf.sub(scaled, tf.mul(normed, along)));
  });
  const dWeight = () => tf.tidy(() => tf.sum(tf.mul(dy, tf.mul(x, inverseRoot(x, eps))), 0));
  return { dx, dWeight };
}
