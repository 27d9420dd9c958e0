import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAlive } from './is-alive.js';

/** Where this process writes a file or a directory until it is whole and gets its name. */
export function partialOf(path: string): string {
  return `${path}.${process.pid}.partial`;
}

/**
 * What is left of the file from processes that are gone.
 * @throws Error where the directory cannot be read
 */
export async function leftPartials(path: string): Promise<string[]> {
  const names = await readdir(dirname(path));
  return names.filter((name) => isLeft(name, basename(path))).map((name) => join(dirname(path), name));
}

function isLeft(name: string, file: string): boolean {
  const pid = name.startsWith(`${file}.`) && /^(\d+)\.partial$/.exec(name.slice(file.length + 1))?.[1];
  return Boolean(pid) && !isAlive(Number(pid));
}
