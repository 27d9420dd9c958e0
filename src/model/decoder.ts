import type { Lora } from './lora.js';
import type { ModelConfig } from './model-config.js';
import type { Dtype } from './ops.js';
import type { Weights } from './weights.js';

/** A model of the Llama or Qwen2 family in memory. */
export interface Decoder {
  config: ModelConfig;
  /** fp32, whatever is computed with them. */
  weights: Weights;
  lora: Lora | null;
  /** Of the operands of products. */
  dtype: Dtype;
}
