import type { Decoder } from '../../src/model/decoder.js';
import { logitsOf } from '../../src/model/head.js';
import { readModelConfig } from '../../src/model/model-config.js';
import { disposeBatch, pack } from '../../src/model/packing.js';
import { tf } from '../../src/model/tf.js';
import { prepareProducts } from '../../src/model/prepared-decoder.js';
import { segmentHiddenStates } from '../../src/model/segment-pass.js';
import { loadWeights } from '../../src/model/weights.js';

/** Logits of the token after each prompt. */
export function firstLogits(modelDir: string, prompts: number[][]): Float32Array[] {
  const config = readModelConfig(modelDir);
  const decoder: Decoder = { config, weights: loadWeights(modelDir, config), lora: null, dtype: 'fp32' };
  const logits = prompts.map((promptIds) => lastLogits(decoder, promptIds));
  tf.dispose([...decoder.weights.values()]);
  return logits;
}

function lastLogits(decoder: Decoder, promptIds: number[]): Float32Array {
  const batch = pack([{ promptIds, completions: [] }]);
  const logits = tf.tidy(() => {
    const hidden = segmentHiddenStates(prepareProducts(decoder), batch);
    return logitsOf(decoder, tf.slice(hidden, promptIds.length - 1, 1)).dataSync<'float32'>();
  });
  disposeBatch(batch);
  return logits;
}
