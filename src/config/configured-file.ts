import { readFileSync } from 'node:fs';
import { DriftError } from '../drift-error.js';

/**
 * The text of a file that a key of the configuration names.
 * @throws DriftError `config-invalid`, naming the key
 */
export function readConfigured(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const message = `The configuration is not valid: ${key}: ${(cause as Error).message}.`;
    throw new DriftError('config-invalid', message, { cause, facts: { key, file } });
  }
}
