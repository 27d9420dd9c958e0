import type { ModelConfig } from './model-config.js';
import { openWeights } from './safetensors-reader.js';
import { type Tensor, tf } from './tf.js';
import { checkedTensors } from './weight-shapes.js';

export { EMBEDDING, expectedShapes, FINAL_NORM, linearShapes, outputName } from './weight-shapes.js';

/** Tensors by their Hugging Face names. Linear weights are [out, in]. */
export type Weights = Map<string, Tensor>;

/**
 * Loads what the configuration asks for; other tensors in the files are left alone. Nothing is loaded before all
 * names, shapes and file lengths are checked.
 * @throws DriftError `model-invalid` that names a tensor that is missing or has another shape.
 */
export function loadWeights(dir: string, config: ModelConfig): Weights {
  const expected = checkedTensors(dir, openWeights(dir), config);
  return new Map(expected.map((found) => [found.name, tf.tensor(found.read(), found.shape, 'float32')]));
}
