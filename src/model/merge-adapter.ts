import { createLora, mergedWeight } from './lora.js';
import { readModelConfig } from './model-config.js';
import type { ModelSource } from './model-source.js';
import { saveModel } from './save-model.js';
import { tf } from './tf.js';
import { linearShapes, loadWeights } from './weights.js';

/**
 * Writes the model that an adapter over its base amounts to, in fp32, with the base's tokenizer and configuration.
 * @param out an existing directory
 * @throws DriftError `model-invalid`, before any weights are loaded
 */
export function mergeAdapter({ dir: baseDir, lora: settings }: Required<ModelSource>, out: string): void {
  const config = readModelConfig(baseDir);
  const lora = createLora(config, settings);
  const weights = loadWeights(baseDir, config);
  for (let layer = 0; layer < config.layers; layer++) {
    for (const name of linearShapes(config, layer).keys()) {
      const before = weights.get(`${name}.weight`)!;
      const merged = mergedWeight({ weights, lora }, name);
      if (merged === before) continue;
      weights.set(`${name}.weight`, merged);
      before.dispose();
    }
  }
  saveModel({ config, weights, lora: null, dtype: 'fp32' }, baseDir, out);
  tf.dispose([...weights.values(), ...lora.weights.values()]);
}
