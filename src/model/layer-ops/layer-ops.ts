import type { Dtype } from '../ops.js';
import type { Rotation } from '../rope.js';
import type { Tensor } from '../tf.js';

/**
 * What a layer computes between its products. Sums between layers, norms' weights and scores are fp32; `dtype` is that
 * of the products, and of what goes into them or comes out of them. Everything is computed in fp32 whatever its dtype.
 */
export interface LayerOps {
  /** x / sqrt(mean(x^2) + eps) * weight; x [rows, width], weight [width]. */
  norm(x: Tensor, weight: Tensor, eps: number, dtype: Dtype): Tensor;
  /**
   * `past` plus the gradient with respect to x, where the norm's own gradient is the sum of `dys`; and, on demand and
   * within the same scope, that with respect to the weight.
   */
  normBackward(
    x: Tensor,
    weight: Tensor,
    eps: number,
    dys: readonly Tensor[],
    past: Tensor,
  ): { dx: Tensor; dWeight(): Tensor };
  /** silu(gate) * up, in their dtype. */
  swiglu(gate: Tensor, up: Tensor): Tensor;
  swigluBackward(gate: Tensor, up: Tensor, dy: Tensor): { dGate: Tensor; dUp: Tensor };
  /** x + y; x fp32, as is the sum. */
  plus(x: Tensor, y: Tensor): Tensor;
  /** Turns x [rows, heads, headDim]; the halves of a head are the pairs' two coordinates, as in Hugging Face's Llama. */
  rotate(x: Tensor, rotation: Rotation, dtype: Dtype): Tensor;
  /** In its own dtype. */
  rotateBackward(dy: Tensor, rotation: Rotation): Tensor;
  /** Of scores [n, m * queries, keys], fp32, to which the mask [queries, keys] is added. */
  softmax(scores: Tensor, mask: Tensor, dtype: Dtype): Tensor;
  /** shares * (dShares - sum of shares * dShares), in their dtype. */
  softmaxBackward(shares: Tensor, dShares: Tensor): Tensor;
}
