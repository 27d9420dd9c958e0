import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DriftError } from '../drift-error.js';
import type { LoraSettings } from '../training/engine/training-engine.js';
import { readJson } from './json-file.js';
import { readLoraSize } from './lora-size.js';

/** Where a policy's weights are. */
export interface ModelSource {
  dir: string;
  /** Adapters over the weights; from `initDir`, or fresh ones, which change nothing until they are trained. */
  lora?: LoraSettings;
}

const baseSchema = z.looseObject({ base_model_name_or_path: z.string() });

/** The adapter of a PEFT directory, as it is. */
export function adapterOf(dir: string): LoraSettings {
  return { ...readLoraSize(dir), seed: 0, initDir: dir };
}

/**
 * What is computed from `dir`: a Hugging Face model, or a PEFT adapter over the base model that it names.
 * @throws DriftError `model-invalid` where that base is not a directory here
 */
export function modelSource(dir: string): ModelSource {
  const file = join(dir, 'adapter_config.json');
  if (!existsSync(file)) return { dir };
  const { base_model_name_or_path: base } = readJson(file, baseSchema);
  if (existsSync(join(base, 'config.json'))) return { dir: base, lora: adapterOf(dir) };
  const advice = 'Put the base model there, or change base_model_name_or_path.';
  throw new DriftError('model-invalid', `${file} names the base model ${base}, which has no config.json. ${advice}`);
}
