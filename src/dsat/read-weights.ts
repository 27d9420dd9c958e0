import { readFileSync } from 'node:fs';
import { DriftError } from '../drift-error.js';

/** A file of the shipped weights. @throws DriftError `asset-missing` */
export function readWeights(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const message = `${file} cannot be read: ${(cause as Error).message}. It belongs to the sources and to every build.`;
    throw new DriftError('asset-missing', message, { cause });
  }
}
