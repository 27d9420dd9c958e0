import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { syncTree } from '../training/sync-tree.js';
import type { PolicyFile } from './policy-version.entity.js';

export const MANIFEST = 'manifest.json';

/** What says of a directory whose it is. */
export interface PolicyDirectory {
  /** Weights and what else Hugging Face needs to load them. */
  checkpoint: string;
  /** Everything of the manifest but the files. */
  manifest: Record<string, unknown>;
}

/**
 * Writes a directory that Hugging Face loads as it is: under a temporary name, synced to the disk, then renamed.
 * Returns its files with their hashes, the manifest among them.
 */
export async function writePolicyDirectory(
  dir: string,
  { checkpoint, manifest }: PolicyDirectory,
): Promise<PolicyFile[]> {
  const temporary = `${dir}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  for (const name of await readdir(checkpoint)) await copy(join(checkpoint, name), join(temporary, name));
  const files = await describeFiles(temporary);
  await writeFile(join(temporary, MANIFEST), `${JSON.stringify({ ...manifest, files }, null, 2)}\n`);
  const all = [...files, await describeFile(temporary, MANIFEST)];
  await syncTree(temporary);
  await rename(temporary, dir);
  await syncTree(join(dir, '..'), { recursive: false });
  return all;
}

const copy = (from: string, to: string) => copyFile(from, to, constants.COPYFILE_FICLONE);

async function describeFiles(dir: string): Promise<PolicyFile[]> {
  const names = (await readdir(dir)).sort();
  const files: PolicyFile[] = [];
  for (const name of names) files.push(await describeFile(dir, name));
  return files;
}

async function describeFile(dir: string, path: string): Promise<PolicyFile> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(join(dir, path)), hash);
  return { path, bytes: (await stat(join(dir, path))).size, sha256: hash.digest('hex') };
}
