import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Where a file or a directory is written until it is whole and gets its name. */
export function partialOf(path: string): string {
  return `${path}.${randomUUID().slice(0, 8)}.partial`;
}

/**
 * What stands beside the file, begun and not finished.
 * @throws Error where the directory cannot be read
 */
export async function partialsOf(path: string): Promise<string[]> {
  const names = await readdir(dirname(path));
  const start = `${basename(path)}.`;
  const isPartial = (name: string) => name.startsWith(start) && /^[0-9a-f]{8}\.partial$/.test(name.slice(start.length));
  return names.filter(isPartial).map((name) => join(dirname(path), name));
}
