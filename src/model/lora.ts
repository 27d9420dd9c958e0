import { type Tensor, tf } from './tf.js';

/** Low-rank additions to linear layers (arXiv 2106.09685): y += scale * (x A^T) B^T. */
export interface Lora {
  rank: number;
  alpha: number;
  scale: number;
  /** `<layer>.lora_A.weight` [rank, in] and `<layer>.lora_B.weight` [out, rank], by the layer's name. */
  weights: Map<string, Tensor>;
}

export const loraA = (layer: string) => `${layer}.lora_A.weight`;
export const loraB = (layer: string) => `${layer}.lora_B.weight`;

export function disposeLora(lora: Lora): void {
  tf.dispose([...lora.weights.values()]);
}
