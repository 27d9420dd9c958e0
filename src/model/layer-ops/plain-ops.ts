import { BF16, dtypeOf } from '../native.js';
import { cast, type Dtype, reshape, sigmoidBackward } from '../ops.js';
import type { Rotation } from '../rope.js';
import { type Tensor, tf } from '../tf.js';
import type { LayerOps } from './layer-ops.js';

/** By TensorFlow's own ops, which every device and build of it has. */
export const plainOps: LayerOps = {
  norm: (x, weight, eps, dtype) => tf.tidy(() => cast(tf.mul(tf.mul(x, inverseRms(x, eps)), weight), dtype)),

  normBackward(x, weight, eps, dys, past) {
    const inverse = inverseRms(x, eps);
    const normed = tf.mul(x, inverse);
    const dy = tf.addN(dys.map((term) => cast(term, 'fp32')));
    const product = tf.mul(dy, normed);
    const dx = tf.tidy(() => {
      // The part along x: mean over the row of dy * weight * normed.
      const along = tf.matMul(product, tf.reshape(tf.div(weight, weight.size), [-1, 1]));
      return tf.add(past, tf.mul(tf.sub(tf.mul(dy, weight), tf.mul(normed, along)), inverse));
    });
    return { dx, dWeight: () => tf.sum(product, 0) };
  },

  swiglu: (gate, up) =>
    tf.tidy(() => {
      const wide = cast(gate, 'fp32');
      return cast(tf.mul(tf.mul(wide, tf.sigmoid(wide)), cast(up, 'fp32')), precision(gate));
    }),

  swigluBackward(gateOutput, upOutput, dy) {
    return tf.tidy(() => {
      const [gate, up, dGated] = [cast(gateOutput, 'fp32'), cast(upOutput, 'fp32'), cast(dy, 'fp32')];
      const sigmoid = tf.sigmoid(gate);
      // d silu = sigmoid + gate * d sigmoid
      const dSilu = tf.add(sigmoid, sigmoidBackward(sigmoid, gate));
      const dtype = precision(dy);
      return {
        dGate: cast(tf.mul(tf.mul(dGated, up), dSilu), dtype),
        dUp: cast(tf.mul(dGated, tf.mul(gate, sigmoid)), dtype),
      };
    });
  },

  plus: (x, y) => tf.tidy(() => tf.add(x, cast(y, 'fp32'))),

  rotate: (x, rotation, dtype) => tf.tidy(() => cast(rotated(cast(x, 'fp32'), rotation), dtype)),

  rotateBackward: (dy, { cos, sin }) =>
    tf.tidy(() => cast(rotated(cast(dy, 'fp32'), { cos, sin: tf.neg(sin) }), precision(dy))),

  softmax: (scores, mask, dtype) =>
    tf.tidy(() => {
      const masked = tf.add(tf.reshape(scores, [-1, ...mask.shape]), mask);
      return reshape(cast(tf.softmax(masked), dtype), scores.shape);
    }),

  softmaxBackward: (sharesOf, dSharesOf) =>
    tf.tidy(() => {
      const [shares, dShares] = [cast(sharesOf, 'fp32'), cast(dSharesOf, 'fp32')];
      const along = tf.sum(tf.mul(shares, dShares), -1, true);
      return cast(tf.mul(shares, tf.sub(dShares, along)), precision(sharesOf));
    }),
};

const precision = (x: Tensor): Dtype => (dtypeOf(x) === BF16 ? 'bf16' : 'fp32');

/** 1 / sqrt(mean(x^2) + eps) of each row, [rows, 1]. */
function inverseRms(x: Tensor, eps: number): Tensor {
  return tf.tidy(() => tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), eps)));
}

function rotated(x: Tensor, { cos, sin }: Rotation): Tensor {
  const [a, b] = tf.split(x, 2, -1) as [Tensor, Tensor];
  return tf.concat([tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(b, cos), tf.mul(a, sin))], -1);
}
