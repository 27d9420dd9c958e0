import { execute, FLOAT, INT32, type } from './native.js';
import { cast, type Dtype } from './ops.js';
import { type Tensor, tf } from './tf.js';

/** Dropout of one pass, forward and backward: the same numbers drop out of a layer's input in both. */
export interface LoraDropout {
  /** Share of the adapter's inputs that are zeroed; the others are scaled up by as much. */
  rate: number;
  /** Of the run, and which pass of it. */
  seed: number;
  pass: number;
}

/** x (or its gradient) as the adapter of a layer sees it. The numbers that are drawn depend on seed, pass and layer only. */
export function dropOut(x: Tensor, dtype: Dtype, layer: string, { rate, seed, pass }: LoraDropout): Tensor {
  return tf.tidy(() => {
    const seeds = tf.tensor1d([seed ^ hash(layer), pass], 'int32');
    const attributes = [type('dtype', FLOAT), type('T', INT32), type('Tseed', INT32)];
    const uniform = execute('StatelessRandomUniform', attributes, [tf.tensor1d(x.shape, 'int32'), seeds]);
    const kept = tf.mul(tf.cast(tf.greaterEqual(uniform, rate), 'float32'), 1 / (1 - rate));
    return cast(tf.mul(cast(x, 'fp32'), kept), dtype);
  });
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value | 0;
}
