import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { withLock } from './lock.mjs';

/**
 * @param {string} path
 * @returns {Promise<string>} sha256 of a file, in hex
 */
export async function sha256File(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/**
 * Makes a directory that is there whole or not at all: `fill` writes to a temporary one, which is synced and renamed.
 * One process fills it, others wait for it.
 * @param {string} cacheDir
 * @param {string} path inside of `cacheDir`
 * @param {import('./progress.mjs').Progress} progress
 * @param {(dir: string) => Promise<void>} fill
 * @returns {Promise<'cached' | 'fetched'>}
 */
export async function makeOnce(cacheDir, path, progress, fill) {
  if (existsSync(path)) return 'cached';
  const id = createHash('sha256').update(path).digest('hex').slice(0, 12);
  return await withLock(
    join(cacheDir, 'locks', id),
    () => makeLocked(join(cacheDir, 'tmp', id), path, fill),
    progress.waiting,
  );
}

/**
 * @param {string} temporary
 * @param {string} path
 * @param {(dir: string) => Promise<void>} fill
 * @returns {Promise<'cached' | 'fetched'>}
 */
async function makeLocked(temporary, path, fill) {
  if (existsSync(path)) return 'cached';
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  try {
    await fill(temporary);
    publish(temporary, path);
    return 'fetched';
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Syncs a directory's files and renames it to where it belongs.
 * @param {string} temporary
 * @param {string} path
 */
export function publish(temporary, path) {
  for (const file of listFiles(temporary)) sync(join(temporary, file));
  mkdirSync(dirname(path), { recursive: true });
  renameSync(temporary, path);
  sync(dirname(path));
}

/** @param {string} path */
function sync(path) {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/**
 * Regular files below a directory, sorted, relative to it.
 * @param {string} dir
 * @returns {string[]}
 */
export function listFiles(dir) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort();
}

/**
 * Bytes of the files below a directory; 0 while it is not there.
 * @param {string} dir
 */
export function bytesBelow(dir) {
  try {
    return listFiles(dir).reduce((sum, file) => sum + statSync(join(dir, file)).size, 0);
  } catch {
    return 0; // files come and go while they are counted
  }
}

/**
 * Makes `path` a symbolic link to `target`, in one step.
 * @param {string} target
 * @param {string} path
 * @returns {boolean} whether it had to be made
 */
export function linkTo(target, path) {
  try {
    if (readlinkSync(path) === target) return false;
  } catch {
    // not there, or no link
  }
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  renameSync(temporary, path);
  return true;
}
