import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DriftError } from '../drift-error.js';
import { readEosIds } from './eos-ids.js';
import { readJson } from './json-file.js';
import type { ModelConfig } from './model-config.js';

const schema = z.looseObject({
  model: z.looseObject({ vocab: z.union([z.record(z.string(), z.int()), z.array(z.unknown())]) }),
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })).default([]),
});

/**
 * Whether the tokenizer in a model's directory, if any, is the model's: all its ids are in the model's vocabulary
 * (models often pad theirs, so that more is no error), and it knows the ids that end a reply.
 * @throws DriftError `model-invalid`
 */
export function checkTokenizer(dir: string, { vocabSize }: Pick<ModelConfig, 'vocabSize'>): void {
  const file = join(dir, 'tokenizer.json');
  if (!existsSync(file)) return;
  const { model, added_tokens: added } = readJson(file, schema);
  const entries = Array.isArray(model.vocab)
    ? model.vocab.map((_, id): [string, number] => ['', id])
    : Object.entries(model.vocab);
  const ids = new Map<number, string>(entries.map(([token, id]) => [id, token]));
  for (const { id, content } of added) ids.set(id, content);
  const beyond = [...ids.keys()].find((id) => id >= vocabSize);
  if (beyond !== undefined)
    refuse(file, `has the token id ${beyond} (${ids.get(beyond)}), the model's vocabulary has ${vocabSize}`);
  const unknown = readEosIds(dir).find((id) => !ids.has(id));
  if (unknown !== undefined) refuse(file, `has no token ${unknown}, which ends a reply of the model`);
}

function refuse(file: string, problem: string): never {
  throw new DriftError('model-invalid', `${file} ${problem}: it belongs to another model.`);
}
