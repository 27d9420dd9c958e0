import { join } from 'node:path';
import { z } from 'zod';
import { DriftError } from '../drift-error.js';
import { LORA_TARGETS, type LoraTarget } from '../training/engine/training-engine.js';
import { readJson } from './json-file.js';

const empty = z.record(z.string(), z.unknown()).refine((pattern) => Object.keys(pattern).length === 0, {
  message: 'a rank or alpha for single layers cannot be computed here',
});
const adapterSchema = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).lt(1).default(0),
  target_modules: z.union([z.string(), z.array(z.string())]).nullish(),
  rank_pattern: empty.nullish(),
  alpha_pattern: empty.nullish(),
  modules_to_save: z.array(z.string()).max(0).nullish(),
  layers_to_transform: z.null().optional(),
  bias: z.literal('none').default('none'),
  fan_in_fan_out: z.literal(false).default(false),
  use_rslora: z.literal(false).default(false),
  use_dora: z.literal(false).default(false),
});

export interface LoraSize {
  rank: number;
  alpha: number;
  dropout: number;
  targets: LoraTarget[];
}

/**
 * What `adapter_config.json` of a PEFT directory says; without targets, or with PEFT's `all-linear`, all of them.
 * @throws DriftError `model-invalid` for a kind of adapter that cannot be computed here
 */
export function readLoraSize(dir: string): LoraSize {
  const file = join(dir, 'adapter_config.json');
  const { r, lora_alpha, lora_dropout, target_modules: modules } = readJson(file, adapterSchema);
  const all = modules === undefined || modules === null || modules === 'all-linear';
  const names = all ? [...LORA_TARGETS] : [modules].flat();
  const unknown = names.find((name) => !LORA_TARGETS.some((target) => target === name));
  if (unknown === undefined)
    return {
      rank: r,
      alpha: lora_alpha,
      dropout: lora_dropout,
      targets: LORA_TARGETS.filter((t) => names.includes(t)),
    };
  const problem = `the target module ${unknown} is none of ${LORA_TARGETS.join(', ')}.`;
  throw new DriftError('model-invalid', `${file}: ${problem}`);
}
