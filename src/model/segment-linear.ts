import type { Gradients } from './gradients.js';
import { loraA, loraB } from './lora.js';
import { dropOut } from './lora-dropout.js';
import { add, cast, matMul } from './ops.js';
import type { PreparedDecoder } from './prepared-decoder.js';
import { type Tensor, tf } from './tf.js';

/** y = x W^T (+ bias) (+ the adapter's part); x [rows, in], y [rows, out], both in the products' precision. */
export function linearForward(decoder: PreparedDecoder, name: string, x: Tensor): Tensor {
  const { products } = decoder;
  return tf.tidy(() => {
    const plain = matMul(x, products.get(`${name}.weight`)!, false, true);
    const bias = products.get(`${name}.bias`);
    const y = bias === undefined ? plain : add(plain, bias);
    const [a, b] = [products.get(loraA(name)), products.get(loraB(name))];
    if (a === undefined || b === undefined) return y;
    return add(y, matMul(matMul(seen(decoder, name, x), a, false, true), b, false, true));
  });
}

/** Adds the gradients of the layer's parameters and returns that of its input, in the products' precision. */
export function linearBackward(
  decoder: PreparedDecoder,
  name: string,
  x: Tensor,
  dy: Tensor,
  gradients: Gradients,
): Tensor {
  const { products, lora } = decoder;
  gradients.add(`${name}.weight`, () => matMul(dy, x, true));
  gradients.add(`${name}.bias`, () => tf.sum(cast(dy, 'fp32'), 0));
  return tf.tidy(() => {
    const dx = matMul(dy, products.get(`${name}.weight`)!);
    const [a, b] = [products.get(loraA(name)), products.get(loraB(name))];
    if (a === undefined || b === undefined) return dx;
    const dLow = matMul(dy, b);
    gradients.add(loraA(name), () => matMul(dLow, seen(decoder, name, x), true));
    // The b of the products is scaled, its gradient is that of the one that is not.
    const dB = () => {
      const low = matMul(seen(decoder, name, x), a, false, true);
      return tf.mul(cast(matMul(dy, low, true), 'fp32'), lora!.scale);
    };
    gradients.add(loraB(name), dB);
    return add(dx, seen(decoder, name, matMul(dLow, a)));
  });
}

/** What the adapter sees of its input; its gradient passes through the same gaps. */
function seen({ dropout, dtype }: PreparedDecoder, name: string, x: Tensor): Tensor {
  return dropout === null ? x : dropOut(x, dtype, name, dropout);
}
