import type { Decoder } from '../../src/model/decoder.js';
import { logitsOf } from '../../src/model/head.js';
import type { ModelConfig } from '../../src/model/model-config.js';
import { disposeBatch, pack } from '../../src/model/packing.js';
import { prepareProducts } from '../../src/model/prepared-decoder.js';
import { normals, seededRandom } from '../../src/model/random.js';
import { segmentHiddenStates } from '../../src/model/segment-pass.js';
import { tf } from '../../src/model/tf.js';
import { expectedShapes } from '../../src/model/weights.js';

/** Small enough for finite differences; grouped queries, two layers. */
export const TINY_LLAMA: ModelConfig = {
  architecture: 'LlamaForCausalLM',
  vocabSize: 23,
  hiddenSize: 8,
  intermediateSize: 12,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 4,
  rmsNormEps: 1e-5,
  ropeTheta: 100,
  ropeScaling: null,
  tiedEmbeddings: true,
  qkvBias: false,
  outputBias: false,
  maxPositions: 1024,
};

/** With biases on q, k and v and an output layer of its own. */
export const TINY_QWEN2: ModelConfig = {
  ...TINY_LLAMA,
  architecture: 'Qwen2ForCausalLM',
  tiedEmbeddings: false,
  qkvBias: true,
};

/** A decoder with random weights, large enough that its logits differ clearly. */
export function randomDecoder(config: ModelConfig = TINY_LLAMA, seed = 1): Decoder {
  const random = seededRandom(seed);
  const weights = [...expectedShapes(config)].map(([name, shape]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const values = normals(size, 0.5, random);
    const drawn = name.includes('norm') ? values.map((value) => 1 + 0.2 * value) : values;
    return [name, tf.tensor(drawn, shape)] as const;
  });
  return { config, weights: new Map(weights), lora: null, dtype: 'fp32' };
}

export function disposeDecoder({ weights, lora }: Decoder): void {
  tf.dispose([...weights.values(), ...(lora?.weights.values() ?? [])]);
}

/** Weights by name, as numbers. */
export function valuesOf(weights: Decoder['weights']): Record<string, Float32Array> {
  return Object.fromEntries([...weights].map(([name, tensor]) => [name, tensor.dataSync<'float32'>()]));
}

/** Token ids below the vocabulary's size. */
export function randomIds(length: number, random: () => number, vocabSize = TINY_LLAMA.vocabSize): number[] {
  return Array.from({ length }, () => Math.floor(random() * vocabSize));
}

/** Log-probabilities of every next token at every place of one sequence [length][vocab], by the plainest way. */
export function logprobTable(decoder: Decoder, ids: number[]): number[][] {
  const batch = pack([{ promptIds: ids, completions: [] }]);
  const table = tf.tidy(() => {
    const logits = logitsOf(decoder, segmentHiddenStates(prepareProducts(decoder), batch));
    return tf.logSoftmax(logits).arraySync() as number[][];
  });
  disposeBatch(batch);
  return table;
}
