import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { nestsTooDeeply } from '../../chat-log/nesting.js';
import { DriftError } from '../../drift-error.js';

/** One line of a JSONL file, as the schema has it and as it was. */
export interface Line<T> {
  number: number;
  record: T;
  raw: Record<string, unknown>;
}

/**
 * Reads a JSONL file of objects; blank lines are passed over.
 * @throws DriftError `usage` where the file cannot be read, or `record-invalid` naming file and line
 */
export function readJsonLines<T>(file: string, schema: z.ZodType<T>): Line<T>[] {
  const lines = read(file)
    .replace(/^\ufeff/, '')
    .split('\n');
  return lines.flatMap((text, i) => (text.trim() === '' ? [] : [parseLine(file, i + 1, text, schema)]));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new DriftError('usage', `${file} cannot be read: ${(cause as Error).message}.`, { cause });
  }
}

function parseLine<T>(file: string, number: number, text: string, schema: z.ZodType<T>): Line<T> {
  const raw = parseJson(file, number, text);
  const result = schema.safeParse(raw);
  if (result.success) return { number, record: result.data, raw };
  const problems = result.error.issues.map((issue) => [issue.path.join('.'), issue.message].filter(Boolean).join(': '));
  throw badLine(file, number, problems.join('; '));
}

function parseJson(file: string, number: number, text: string): Record<string, unknown> {
  if (nestsTooDeeply(text)) throw badLine(file, number, 'nested too deeply');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badLine(file, number, 'not JSON', cause);
  }
}

/** Runs `use` so that what is wrong with a record is said with its file and line. */
export function atLine<T>(file: string, number: number, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    if (!(cause instanceof DriftError)) throw cause;
    throw badLine(file, number, cause.message, cause);
  }
}

function badLine(file: string, line: number, problem: string, cause?: unknown): DriftError {
  return new DriftError('record-invalid', `${file}:${line}: ${problem}`, { cause, facts: { file, line } });
}
