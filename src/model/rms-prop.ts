import type { Gradients } from './gradients.js';
import { inPlace } from './in-place.js';
import { hasFusedOps } from './layer-ops/choose-ops.js';
import { dtypeOf, effect, FLOAT, type } from './native.js';
import { type Tensor, tf } from './tf.js';

/** torch.optim.RMSprop's defaults: no momentum, not centered, no weight decay; epsilon outside the root. */
const ALPHA = 0.99;
const EPSILON = 1e-8;

/** Keeps the running mean of squared gradients of each parameter; it owns those tensors. */
export class RmsProp {
  private readonly squares = new Map<string, Tensor>();

  /** @param fused by an op of our own, else by TensorFlow's */
  constructor(private readonly fused = hasFusedOps) {}

  /**
   * v = alpha v + (1 - alpha) g^2; w -= lr g / (sqrt(v) + eps). The parameters' memory stays, their tensors may be new.
   * @param scale of the gradients, as clipping found it
   */
  update(parameters: Map<string, Tensor>, gradients: Gradients, learningRate: number, scale: number): void {
    const update = this.fused ? fusedUpdate(learningRate, scale) : plainUpdate(learningRate, scale);
    for (const [name, weight] of parameters) {
      const gradient = gradients.get(name);
      if (gradient === undefined) continue;
      const square = this.squares.get(name) ?? tf.zerosLike(weight);
      const [updated, mean] = update(weight, square, gradient);
      parameters.set(name, updated);
      this.squares.set(name, mean);
    }
  }

  dispose(): void {
    tf.dispose([...this.squares.values()]);
    this.squares.clear();
  }
}

type Update = (weight: Tensor, square: Tensor, gradient: Tensor) => [Tensor, Tensor];

/** One pass, which reads gradients in the products' precision too and writes into weight and square. */
function fusedUpdate(learningRate: number, scale: number): Update {
  return (weight, square, gradient) =>
    tf.tidy(() => {
      const rates = tf.tensor1d([ALPHA, EPSILON, learningRate, scale]);
      effect('DriftloopRmsProp', [type('T', dtypeOf(gradient))], [weight, square, gradient, rates]);
      return [weight, square];
    });
}

/**
 * TensorFlow's own RMSprop has epsilon inside the root. Its Adam has it outside, and with beta1, and both powers that
 * correct the bias, at 0 it is this update.
 */
function plainUpdate(learningRate: number, scale: number): Update {
  return (weight, square, gradient) =>
    tf.tidy(() => {
      const constants = [0, 0, learningRate, 0, ALPHA, EPSILON].map((value) => tf.scalar(value));
      const [updated, mean, moment] = inPlace([weight, square, tf.zerosLike(weight)], ([w, v, m]) => {
        const scaled = scale === 1 ? gradient : tf.mul(gradient, scale);
        effect('ResourceApplyAdam', [type('T', FLOAT)], [w!, m!, v!, ...constants, scaled]);
      });
      moment.dispose();
      return [updated, mean];
    });
}

/** What torch.nn.utils.clip_grad_norm_ multiplies gradients of this global norm by. */
export function clipScale(norm: number, maxNorm: number): number {
  return Math.min(1, maxNorm / (norm + 1e-6));
}
