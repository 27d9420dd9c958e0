import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { DriftError } from '../drift-error.js';
import { partialOf } from '../partial-file.js';
import { syncTree } from '../training/sync-tree.js';
import { cannotWrite } from './write-lines.js';

/** @throws DriftError `conflict` */
export function refuseExisting(out: string): void {
  if (existsSync(out)) throw new DriftError('conflict', `${out} exists already: give another --out.`);
}

/**
 * The directory appears under its name when it is whole; there is one to write to before the work begins.
 * @throws DriftError `usage` where it cannot be written
 */
export async function writeWhole(out: string, write: (dir: string) => void | Promise<void>): Promise<void> {
  const partial = partialOf(out);
  make(partial, out);
  try {
    await write(partial);
    await syncTree(partial);
    renameSync(partial, out);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

function make(partial: string, out: string): void {
  try {
    mkdirSync(partial, { recursive: true });
  } catch (cause) {
    throw cannotWrite(out, cause);
  }
}
