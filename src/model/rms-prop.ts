import type { Gradients } from './gradients.js';
import { type Tensor, tf } from './tf.js';

/** torch.optim.RMSprop's defaults: no momentum, not centered, no weight decay; epsilon outside the root. */
const ALPHA = 0.99;
const EPSILON = 1e-8;

/** Keeps the running mean of squared gradients of each parameter; it owns those tensors. */
export class RmsProp {
  private readonly squares = new Map<string, Tensor>();

  /**
   * v = alpha v + (1 - alpha) g^2; w -= lr g / (sqrt(v) + eps). Puts new tensors in place of the parameters'.
   * @param scale of the gradients, as clipping found it
   */
  update(parameters: Map<string, Tensor>, gradients: Gradients, learningRate: number, scale: number): void {
    for (const [name, weight] of parameters) {
      const gradient = gradients.get(name);
      if (gradient !== undefined) parameters.set(name, this.updateOne(name, weight, gradient, learningRate, scale));
    }
  }

  private updateOne(name: string, weight: Tensor, gradient: Tensor, learningRate: number, scale: number): Tensor {
    const before = this.squares.get(name);
    const [square, updated] = tf.tidy(() => {
      const scaled = scale === 1 ? gradient : tf.mul(gradient, scale);
      const fresh = tf.mul(tf.square(scaled), 1 - ALPHA);
      const mean = before === undefined ? fresh : tf.add(tf.mul(before, ALPHA), fresh);
      const direction = tf.div(scaled, tf.add(tf.sqrt(mean), EPSILON));
      return [mean, tf.sub(weight, tf.mul(direction, learningRate))];
    }) as [Tensor, Tensor];
    this.squares.set(name, tf.keep(square));
    before?.dispose();
    weight.dispose();
    return tf.keep(updated);
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
