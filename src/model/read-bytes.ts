import { closeSync, openSync, readSync } from 'node:fs';
import { DriftError } from '../drift-error.js';

/** Node takes a read's length as 32 bits with a sign. */
const MAX_READ = 2 ** 30;

/**
 * So many bytes of a file, in as many reads as that takes.
 * @throws DriftError `model-invalid` where the file ends before
 */
export function readBytes(path: string, start: number, length: number): ArrayBuffer {
  const bytes = new Uint8Array(length);
  const file = openSync(path, 'r');
  try {
    for (let read = 0; read < length; ) {
      const count = readSync(file, bytes, read, Math.min(length - read, MAX_READ), start + read);
      if (count === 0) throw new DriftError('model-invalid', `${path} is cut off: it ends at byte ${start + read}.`);
      read += count;
    }
  } finally {
    closeSync(file);
  }
  return bytes.buffer;
}
