import type { Gradients } from './gradients.js';
import { type Lora, loraA, loraB } from './lora.js';
import type { MatMul } from './mat-mul.js';
import { type Tensor, tf } from './tf.js';
import type { Weights } from './weights.js';

/** What a linear layer is computed from. */
export interface Linears {
  weights: Weights;
  lora: Lora | null;
  matMul: MatMul;
}

/** y = x W^T (+ bias) (+ the adapter's part); x [rows, in], y [rows, out]. */
export function linear(model: Linears, name: string, x: Tensor): Tensor {
  return tf.tidy(() => {
    const bias = model.weights.get(`${name}.bias`);
    let y = model.matMul(x, model.weights.get(`${name}.weight`)!, false, true);
    if (bias !== undefined) y = tf.add(y, bias);
    return model.lora === null ? y : tf.add(y, adapted(model.lora, name, x, model.matMul));
  });
}

function adapted(lora: Lora, name: string, x: Tensor, matMul: MatMul): Tensor {
  const low = matMul(x, lora.weights.get(loraA(name))!, false, true);
  return tf.mul(matMul(low, lora.weights.get(loraB(name))!, false, true), lora.scale);
}

/** Adds the gradients of the layer's parameters and returns that of its input. */
export function linearBackward(model: Linears, name: string, x: Tensor, dy: Tensor, gradients: Gradients): Tensor {
  const { weights, lora, matMul } = model;
  gradients.add(`${name}.weight`, () => matMul(dy, x, true));
  gradients.add(`${name}.bias`, () => tf.sum(dy, 0));
  return tf.tidy(() => {
    const dx = matMul(dy, weights.get(`${name}.weight`)!);
    return lora === null ? dx : tf.add(dx, adaptedBackward(lora, name, x, dy, gradients, matMul));
  });
}

function adaptedBackward(
  lora: Lora,
  name: string,
  x: Tensor,
  dy: Tensor,
  gradients: Gradients,
  matMul: MatMul,
): Tensor {
  const a = lora.weights.get(loraA(name))!;
  const scaled = tf.mul(dy, lora.scale);
  const dLow = matMul(scaled, lora.weights.get(loraB(name))!);
  gradients.add(loraB(name), () => tf.tidy(() => matMul(scaled, matMul(x, a, false, true), true)));
  gradients.add(loraA(name), () => matMul(dLow, x, true));
  return matMul(dLow, a);
}
