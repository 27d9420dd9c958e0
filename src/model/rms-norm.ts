import { type Tensor, tf } from './tf.js';

/** 1 / sqrt(mean(x^2) + eps) of each row, [rows, 1]. */
export function inverseRms(x: Tensor, eps: number): Tensor {
  return tf.tidy(() => tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), eps)));
}

/** x / sqrt(mean(x^2) + eps) * weight, given the inverse root; x [rows, width]. */
export function rmsNorm(x: Tensor, weight: Tensor, inverse: Tensor): Tensor {
  return tf.tidy(() => tf.mul(tf.mul(x, inverse), weight));
}

/** Gradients with respect to x and, summed over the rows, to the weight. */
export function rmsNormBackward(
  x: Tensor,
  weight: Tensor,
  inverse: Tensor,
  dy: Tensor,
): { dx: Tensor; dWeight: Tensor } {
  return tf.tidy(() => {
    const normed = tf.mul(x, inverse);
    const product = tf.mul(dy, normed);
    // The part along x: mean over the row of dy * weight * normed.
    const along = tf.matMul(product, tf.reshape(tf.div(weight, weight.size), [-1, 1]));
    const dx = tf.mul(tf.sub(tf.mul(dy, weight), tf.mul(normed, along)), inverse);
    return { dx, dWeight: tf.sum(product, 0) };
  });
}
