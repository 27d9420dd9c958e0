import type { Gradients } from './gradients.js';
import { inPlace } from './in-place.js';
import { effect, FLOAT, type } from './native.js';
import { type Tensor, tf } from './tf.js';

/** torch.optim.RMSprop's defaults: no momentum, not centered, no weight decay; epsilon outside the root. */
const ALPHA = 0.99;
const EPSILON = 1e-8;

/** Keeps the running mean of squared gradients of each parameter; it owns those tensors. */
export class RmsProp {
  private readonly squares = new Map<string, Tensor>();

  /**
   * v = alpha v + (1 - alpha) g^2; w -= lr g / (sqrt(v) + eps). The parameters' memory stays, their tensors are new.
   * @param scale of the gradients, as clipping found it
   */
  update(parameters: Map<string, Tensor>, gradients: Gradients, learningRate: number, scale: number): void {
    const constants = tf.tidy(() => [0, 0, learningRate, 0, ALPHA, EPSILON].map((value) => tf.keep(tf.scalar(value))));
    for (const [name, weight] of parameters) {
      const gradient = gradients.get(name);
      if (gradient !== undefined) parameters.set(name, this.updateOne(name, weight, gradient, scale, constants));
    }
    tf.dispose(constants);
  }

  /**
   * TensorFlow's own RMSprop has epsilon inside the root. Its Adam has it outside, and with beta1, and both powers that
   * correct the bias, at 0 it is this update, in one pass over the memory.
   */
  private updateOne(name: string, weight: Tensor, gradient: Tensor, scale: number, constants: Tensor[]): Tensor {
    const square = this.squares.get(name) ?? tf.zerosLike(weight);
    const [updated, mean, moment] = inPlace([weight, square, tf.zerosLike(weight)], ([w, v, m]) => {
      const scaled = scale === 1 ? gradient : tf.mul(gradient, scale);
      effect('ResourceApplyAdam', [type('T', FLOAT)], [w!, m!, v!, ...constants, scaled]);
    });
    moment.dispose();
    this.squares.set(name, mean);
    return updated;
  }

  dispose(): void {
    tf.dispose([...this.squares.values()]);
    this.squares.clear();
  }
}

/** What torch.nn.utils.clip_grad_norm_ multiplies gradients of this global norm by. */
export function clipScale(norm: number, maxNorm: number): number {
  return Math.min(1, maxNorm / (norm + 1e-6));
}
