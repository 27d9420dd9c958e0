import { join } from 'node:path';
import { DriftError } from '../drift-error.js';
import type { LoraSettings } from '../training/engine/training-engine.js';
import type { LazyTensor } from './lazy-tensor.js';
import { readLoraSize } from './lora-size.js';
import type { ModelConfig } from './model-config.js';
import { seededRandom } from './random.js';
import { openSafetensors } from './safetensors-reader.js';
import { type Tensor, tf } from './tf.js';
import { linearShapes } from './weights.js';

/** Low-rank additions to every linear layer of the decoder (arXiv 2106.09685): y += scale * (x A^T) B^T. */
export interface Lora {
  rank: number;
  alpha: number;
  scale: number;
  /** `<layer>.lora_A.weight` [rank, in] and `<layer>.lora_B.weight` [out, rank], by the layer's name. */
  weights: Map<string, Tensor>;
}

export const loraA = (layer: string) => `${layer}.lora_A.weight`;
export const loraB = (layer: string) => `${layer}.lora_B.weight`;

/** What PEFT puts before a module's name. */
const PEFT_PREFIX = 'base_model.model.';

/**
 * An adapter that changes nothing yet (A as PEFT draws it, uniform in +-1/sqrt(in), B zero), or the one in `initDir`.
 * @throws DriftError `model-invalid` where `initDir` holds another rank or alpha, or lacks a layer.
 */
export function createLora(config: ModelConfig, settings: LoraSettings): Lora {
  const { rank, alpha } = settings;
  const shapes = loraShapes(config, rank);
  const weights =
    settings.initDir === undefined ? fresh(shapes, settings.seed) : read(settings.initDir, shapes, settings);
  return { rank, alpha, scale: alpha / rank, weights };
}

function loraShapes(config: ModelConfig, rank: number): Map<string, [number, number]> {
  const layers = Array.from({ length: config.layers }, (_, layer) => [...linearShapes(config, layer)]).flat();
  return new Map(
    layers.flatMap(([name, [rows, columns]]): [string, [number, number]][] => [
      [loraA(name), [rank, columns]],
      [loraB(name), [rows, rank]],
    ]),
  );
}

function fresh(shapes: Map<string, [number, number]>, seed: number): Map<string, Tensor> {
  const random = seededRandom(seed);
  const values = (name: string, [rows, columns]: [number, number]) => {
    if (name.endsWith('lora_B.weight')) return tf.zeros([rows, columns]);
    const bound = 1 / Math.sqrt(columns);
    const drawn = Float32Array.from({ length: rows * columns }, () => bound * (2 * random() - 1));
    return tf.tensor2d(drawn, [rows, columns]);
  };
  return new Map([...shapes].map(([name, shape]) => [name, values(name, shape)]));
}

function read(dir: string, shapes: Map<string, [number, number]>, { rank, alpha }: LoraSettings): Map<string, Tensor> {
  const size = readLoraSize(dir);
  if (size.rank !== rank || size.alpha !== alpha) {
    const problem = `has rank ${size.rank} and alpha ${size.alpha}, asked for were ${rank} and ${alpha}`;
    throw new DriftError('model-invalid', `The adapter in ${dir} ${problem}.`);
  }
  const file = join(dir, 'adapter_model.safetensors');
  const found = openSafetensors(file);
  const checked = [...shapes].map(([name, shape]) => checkedTensor(file, found.get(PEFT_PREFIX + name), name, shape));
  return new Map(checked.map(({ name, tensor }) => [name, tf.tensor(tensor.read(), tensor.shape)]));
}

function checkedTensor(file: string, tensor: LazyTensor | undefined, name: string, shape: number[]) {
  if (tensor === undefined) throw new DriftError('model-invalid', `${file} lacks the tensor ${PEFT_PREFIX}${name}.`);
  if (tensor.shape.join() === shape.join()) return { name, tensor };
  throw new DriftError('model-invalid', `${file}: tensor ${name} has shape [${tensor.shape}], expected [${shape}].`);
}

/** A linear layer's weight with the adapter's part added: W + scale * B A. */
export function mergedWeight(
  { weights, lora }: { weights: Map<string, Tensor>; lora: Lora | null },
  layer: string,
): Tensor {
  const weight = weights.get(`${layer}.weight`)!;
  const [a, b] = [lora?.weights.get(loraA(layer)), lora?.weights.get(loraB(layer))];
  if (!lora || !a || !b) return weight;
  return tf.tidy(() => tf.add(weight, tf.mul(tf.matMul(b, a), lora.scale)));
}

/** Tensors of the adapter under PEFT's names. */
export function peftName(name: string): string {
  return PEFT_PREFIX + name;
}

/** `adapter_config.json` as PEFT reads it. */
export function peftConfig(lora: Lora, baseModel: string): unknown {
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: baseModel,
    r: lora.rank,
    lora_alpha: lora.alpha,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    target_modules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
  };
}
