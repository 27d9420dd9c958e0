import { DriftError } from '../drift-error.js';
import type { LazyTensor } from './lazy-tensor.js';
import type { ModelConfig } from './model-config.js';

export const EMBEDDING = 'model.embed_tokens.weight';
export const FINAL_NORM = 'model.norm.weight';
export const OUTPUT = 'lm_head.weight';

/** Name of the table that turns hidden states into logits. */
export function outputName(config: ModelConfig): string {
  return config.tiedEmbeddings ? EMBEDDING : OUTPUT;
}

/** The linear layers of one decoder layer, by name without `.weight`, as [out, in]. */
export function linearShapes(config: ModelConfig, layer: number): Map<string, [number, number]> {
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim } = config;
  const prefix = `model.layers.${layer}`;
  return new Map([
    [`${prefix}.self_attn.q_proj`, [heads * headDim, hiddenSize]],
    [`${prefix}.self_attn.k_proj`, [kvHeads * headDim, hiddenSize]],
    [`${prefix}.self_attn.v_proj`, [kvHeads * headDim, hiddenSize]],
    [`${prefix}.self_attn.o_proj`, [hiddenSize, heads * headDim]],
    [`${prefix}.mlp.gate_proj`, [intermediateSize, hiddenSize]],
    [`${prefix}.mlp.up_proj`, [intermediateSize, hiddenSize]],
    [`${prefix}.mlp.down_proj`, [hiddenSize, intermediateSize]],
  ]);
}

/** Every tensor the model must have, with its shape. */
export function expectedShapes(config: ModelConfig): Map<string, number[]> {
  const shapes = new Map<string, number[]>([[EMBEDDING, [config.vocabSize, config.hiddenSize]]]);
  for (let layer = 0; layer < config.layers; layer++) addLayer(shapes, config, layer);
  shapes.set(FINAL_NORM, [config.hiddenSize]);
  if (!config.tiedEmbeddings) shapes.set(OUTPUT, [config.vocabSize, config.hiddenSize]);
  return shapes;
}

function addLayer(shapes: Map<string, number[]>, config: ModelConfig, layer: number): void {
  shapes.set(`model.layers.${layer}.input_layernorm.weight`, [config.hiddenSize]);
  shapes.set(`model.layers.${layer}.post_attention_layernorm.weight`, [config.hiddenSize]);
  for (const [name, shape] of linearShapes(config, layer)) {
    shapes.set(`${name}.weight`, shape);
    const biased = /[qkv]_proj$/.test(name) ? config.qkvBias : name.endsWith('o_proj') && config.outputBias;
    if (biased) shapes.set(`${name}.bias`, [shape[0]]);
  }
}

/**
 * The tensors the model must have, out of those that were found.
 * @throws DriftError `model-invalid` that names a tensor that is missing or has another shape
 */
export function checkedTensors(
  source: string,
  found: ReadonlyMap<string, LazyTensor>,
  config: ModelConfig,
): LazyTensor[] {
  return [...expectedShapes(config)].map(([name, shape]) => {
    const tensor = found.get(name);
    if (tensor === undefined) throw new DriftError('model-invalid', `${source}: the weights lack the tensor ${name}.`);
    if (tensor.shape.join() === shape.join()) return tensor;
    throw new DriftError(
      'model-invalid',
      `${source}: tensor ${name} has shape [${tensor.shape}], expected [${shape}].`,
    );
  });
}
