import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DriftError } from '../drift-error.js';
import { readJson } from './json-file.js';

const listedSchema = z.looseObject({ eos_token_id: z.union([z.int(), z.array(z.int())]).nullish() });
const configSchema = z.looseObject({
  eos_token: z
    .union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)])
    .nullish(),
});
const tokenizerSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })).default([]),
});

/**
 * Ids that end a reply: first the tokenizer's `eos_token`, which ends a chat turn, then what the model's files list.
 * @throws DriftError `model-invalid` when none does
 */
export function readEosIds(dir: string): number[] {
  const listed = ['generation_config.json', 'config.json'].flatMap((name) => listedIds(join(dir, name)));
  const ids = [...new Set([...tokenizerEosId(dir), ...listed])];
  if (ids.length > 0) return ids;
  throw new DriftError('model-invalid', `${dir} names no end-of-sequence token (eos_token_id in config.json).`);
}

function listedIds(file: string): number[] {
  return existsSync(file) ? [readJson(file, listedSchema).eos_token_id ?? []].flat() : [];
}

function tokenizerEosId(dir: string): number[] {
  const [config, tokenizer] = [join(dir, 'tokenizer_config.json'), join(dir, 'tokenizer.json')];
  if (!existsSync(config) || !existsSync(tokenizer)) return [];
  const { eos_token: eos } = readJson(config, configSchema);
  const { added_tokens: added } = readJson(tokenizer, tokenizerSchema);
  return added.filter(({ content }) => content === eos).map(({ id }) => id);
}
