import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { DriftError } from '../drift-error.js';

/**
 * Reads a JSON file of a model directory.
 * @throws DriftError `model-invalid` that names the file and what is wrong with it.
 */
export function readJson<T>(file: string, schema: z.ZodType<T>): T {
  const result = schema.safeParse(parse(file));
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw new DriftError('model-invalid', `${file} is not usable: ${problems.join('; ')}`, { facts: { file, problems } });
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const problem = missing ? 'is missing: is this a Hugging Face model directory?' : `cannot be read (${cause})`;
    throw new DriftError('model-invalid', `${file} ${problem}`, { cause, facts: { file } });
  }
}
