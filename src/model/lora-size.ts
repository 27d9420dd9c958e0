import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from './json-file.js';

const adapterSchema = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  bias: z.literal('none').default('none'),
  use_rslora: z.literal(false).default(false),
  use_dora: z.literal(false).default(false),
});

/**
 * Rank and alpha of a PEFT directory.
 * @throws DriftError `model-invalid` for a kind of adapter that cannot be computed here
 */
export function readLoraSize(dir: string): { rank: number; alpha: number } {
  const { r, lora_alpha } = readJson(join(dir, 'adapter_config.json'), adapterSchema);
  return { rank: r, alpha: lora_alpha };
}
