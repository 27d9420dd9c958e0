import type { Decoder } from './decoder.js';
import { loraB } from './lora.js';
import type { LoraDropout } from './lora-dropout.js';
import { cast } from './ops.js';
import { type Tensor, tf } from './tf.js';
import { linearShapes, outputName, type Weights } from './weights.js';

/** A decoder and what its products take, in their precision. Valid until its weights change; `releaseProducts` frees it. */
export interface PreparedDecoder extends Decoder {
  /** Weights and biases of linear layers, the output table, and the adapter's matrices with its scale in B. */
  products: Weights;
  /** Of the adapters' inputs in a training pass; null in any other. */
  dropout: LoraDropout | null;
}

/** In fp32 the products' weights are the decoder's own; in bf16 they are cast once for all passes over them. */
export function prepareProducts(decoder: Decoder): PreparedDecoder {
  const products = new Map(productNames(decoder).flatMap((name) => entry(decoder, name)));
  for (const [name, matrix] of decoder.lora?.weights ?? []) {
    const scale = name.endsWith(loraB('')) ? decoder.lora!.scale : 1;
    products.set(name, tf.keep(tf.tidy(() => cast(tf.mul(matrix, scale), decoder.dtype))));
  }
  return { ...decoder, products, dropout: null };
}

/** The same for one training pass, whose adapters' inputs drop out where the adapter says so. */
export function forPass(prepared: PreparedDecoder, seed: number, pass: number): PreparedDecoder {
  const rate = prepared.lora?.dropout ?? 0;
  return rate === 0 ? prepared : { ...prepared, dropout: { rate, seed, pass } };
}

function productNames({ config }: Decoder): string[] {
  const layers = Array.from({ length: config.layers }, (_, layer) => [...linearShapes(config, layer).keys()]).flat();
  return [...layers.flatMap((name) => [`${name}.weight`, `${name}.bias`]), outputName(config)];
}

function entry({ weights, dtype }: Decoder, name: string): [string, Tensor][] {
  const weight = weights.get(name);
  return weight === undefined ? [] : [[name, tf.keep(cast(weight, dtype))]];
}

export function releaseProducts({ products, weights }: PreparedDecoder): void {
  for (const [name, tensor] of products) if (tensor !== weights.get(name)) tensor.dispose();
  products.clear();
}
