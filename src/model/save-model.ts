import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Decoder } from './decoder.js';
import { readJson } from './json-file.js';
import { type Lora, peftConfig, peftName } from './lora.js';
import { writeSafetensors } from './safetensors-writer.js';
import type { Tensor } from './tf.js';

/** Beside the weights, what Hugging Face and vLLM read. */
const COMPANIONS = [
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
];

/**
 * Writes what `decoder` adds to its base: all weights in fp32, or the adapter in PEFT's form; with the base's
 * tokenizer and configuration.
 * @param dir an existing directory
 */
export function saveModel(decoder: Decoder, baseDir: string, dir: string): void {
  for (const name of COMPANIONS) {
    if (existsSync(join(baseDir, name))) copyFileSync(join(baseDir, name), join(dir, name));
  }
  if (decoder.lora === null) saveWeights(decoder, baseDir, dir);
  else saveAdapter(decoder.lora, baseDir, dir);
}

function saveWeights(decoder: Decoder, baseDir: string, dir: string): void {
  const { dtype, torch_dtype, quantization_config, ...config } = readJson(
    join(baseDir, 'config.json'),
    z.looseObject({}),
  );
  writeJson(join(dir, 'config.json'), { ...config, torch_dtype: 'float32' });
  writeSafetensors(
    join(dir, 'model.safetensors'),
    lazyTensors(decoder.weights, (name) => name),
  );
}

function saveAdapter(lora: Lora, baseDir: string, dir: string): void {
  writeJson(join(dir, 'adapter_config.json'), peftConfig(lora, resolve(baseDir)));
  writeSafetensors(join(dir, 'adapter_model.safetensors'), lazyTensors(lora.weights, peftName));
}

function lazyTensors(weights: Map<string, Tensor>, nameOf: (name: string) => string) {
  return [...weights].map(([name, tensor]) => ({
    name: nameOf(name),
    shape: tensor.shape,
    read: () => tensor.dataSync<'float32'>(),
  }));
}

function writeJson(file: string, content: unknown): void {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}
