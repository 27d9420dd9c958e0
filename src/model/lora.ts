import { join } from 'node:path';
import { DriftError } from '../drift-error.js';
import { LORA_TARGETS, type LoraSettings, type LoraTarget } from '../training/engine/training-engine.js';
import type { LazyTensor } from './lazy-tensor.js';
import { readLoraSize } from './lora-size.js';
import type { ModelConfig } from './model-config.js';
import { seededRandom } from './random.js';
import { openSafetensors } from './safetensors-reader.js';
import { type Tensor, tf } from './tf.js';
import { linearShapes } from './weights.js';

/** Low-rank additions to linear layers of the decoder (arXiv 2106.09685): y += scale * (x A^T) B^T. */
export interface Lora {
  rank: number;
  alpha: number;
  scale: number;
  targets: readonly LoraTarget[];
  /** Share of the adapters' inputs that drop out in training. */
  dropout: number;
  /** `<layer>.lora_A.weight` [rank, in] and `<layer>.lora_B.weight` [out, rank], by the layer's name. */
  weights: Map<string, Tensor>;
}

export const loraA = (layer: string) => `${layer}.lora_A.weight`;
export const loraB = (layer: string) => `${layer}.lora_B.weight`;

/** What PEFT puts before a module's name. */
const PEFT_PREFIX = 'base_model.model.';

/**
 * An adapter that changes nothing yet (A as PEFT draws it, uniform in +-1/sqrt(in), B zero), or the one in `initDir`.
 * @throws DriftError `model-invalid` where `initDir` holds another rank, alpha or targets, or lacks a layer.
 */
export function createLora(config: ModelConfig, settings: LoraSettings): Lora {
  const { rank, alpha, dropout = 0, targets = LORA_TARGETS } = settings;
  const shapes = loraShapes(config, rank, targets);
  const weights =
    settings.initDir === undefined ? fresh(shapes, settings.seed) : read(settings.initDir, shapes, settings);
  return { rank, alpha, scale: alpha / rank, targets, dropout, weights };
}

function loraShapes(config: ModelConfig, rank: number, targets: readonly LoraTarget[]): Map<string, [number, number]> {
  const layers = Array.from({ length: config.layers }, (_, layer) => [...linearShapes(config, layer)]).flat();
  const targeted = layers.filter(([name]) => targets.some((target) => name.endsWith(`.${target}`)));
  return new Map(
    targeted.flatMap(([name, [rows, columns]]): [string, [number, number]][] => [
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

function read(dir: string, shapes: Map<string, [number, number]>, settings: LoraSettings): Map<string, Tensor> {
  refuseOther(dir, settings);
  const file = join(dir, 'adapter_model.safetensors');
  const found = openSafetensors(file);
  const surplus = [...found.keys()].find((name) => !shapes.has(name.slice(PEFT_PREFIX.length)));
  if (surplus !== undefined) throw new DriftError('model-invalid', `${file}: the model has no place for ${surplus}.`);
  const checked = [...shapes].map(([name, shape]) => checkedTensor(file, found.get(PEFT_PREFIX + name), name, shape));
  return new Map(checked.map(({ name, tensor }) => [name, tf.tensor(tensor.read(), tensor.shape)]));
}

function refuseOther(dir: string, { rank, alpha, targets = LORA_TARGETS }: LoraSettings): void {
  const size = readLoraSize(dir);
  const describe = (of: { rank: number; alpha: number; targets: readonly string[] }) =>
    `rank ${of.rank}, alpha ${of.alpha} and the targets ${[...of.targets].sort().join(', ')}`;
  const [found, asked] = [describe(size), describe({ rank, alpha, targets })];
  if (found !== asked)
    throw new DriftError('model-invalid', `The adapter in ${dir} has ${found}, asked for were ${asked}.`);
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
    lora_dropout: lora.dropout,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    target_modules: [...lora.targets],
  };
}
