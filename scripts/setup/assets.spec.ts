import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { listFiles } from './files.mjs';
import { Progress } from './progress.mjs';
import { wheelFile } from './wheels.mjs';
import { extractZip } from './zip.mjs';

let dir: string;
let cacheDir: string;
const progress = new Progress('test');
progress.end();

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'driftloop-assets-'));
  cacheDir = join(dir, 'cache');
  mkdirSync(join(dir, 'index'));
  // The index that pip looks into is a directory of this test.
  vi.stubEnv('PIP_NO_INDEX', '1');
  vi.stubEnv('PIP_FIND_LINKS', join(dir, 'index'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

const sha256 = (content: Buffer | string) => createHash('sha256').update(content).digest('hex');

const MAKE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('sample/data.txt', sys.argv[2] * 1000, zipfile.ZIP_DEFLATED)
    wheel.writestr('sample/stored.txt', 'stored', zipfile.ZIP_STORED)
    wheel.writestr('sample/empty.txt', '')
    wheel.writestr('sample-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: sample\\nVersion: 1.0\\n')
    wheel.writestr('sample-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('sample-1.0.dist-info/RECORD', '')
`;

/** A wheel as `python3 -m zipfile` would make it, on the index. */
function publishWheel(content: string): string {
  const path = join(dir, 'index', 'sample-1.0-py3-none-any.whl');
  execFileSync('python3', ['-c', MAKE_WHEEL, path, content]);
  return path;
}

function assetOf(wheel: string) {
  const bytes = readFileSync(wheel);
  return {
    wheel: { name: 'sample', version: '1.0', platform: [], sha256: sha256(bytes), bytes: bytes.length },
    file: { path: 'sample/data.txt', sha256: sha256('text'.repeat(1000)) },
  };
}

it('fetches a wheel once, and keeps only the file that is wanted', async () => {
  const asset = assetOf(publishWheel('text'));
  const path = join(cacheDir, 'sample', 'abc', 'data.txt');
  expect(await wheelFile(asset, cacheDir, path, progress)).toBe('fetched');
  expect(readFileSync(path, 'utf8')).toBe('text'.repeat(1000));
  expect(listFiles(cacheDir)).toEqual(['sample/abc/data.txt']);
  rmSync(join(dir, 'index'), { recursive: true });
  expect(await wheelFile(asset, cacheDir, path, progress)).toBe('cached');
});

it('fetches it once when two ask at the same time', async () => {
  const asset = assetOf(publishWheel('text'));
  const path = join(cacheDir, 'sample', 'abc', 'data.txt');
  const outcomes = await Promise.all([
    wheelFile(asset, cacheDir, path, progress),
    wheelFile(asset, cacheDir, path, progress),
  ]);
  expect(outcomes.sort()).toEqual(['cached', 'fetched']);
});

it('refuses and names a wheel that is not the pinned one', async () => {
  const asset = assetOf(publishWheel('text'));
  publishWheel('evil');
  const path = join(cacheDir, 'sample', 'abc', 'data.txt');
  await expect(wheelFile(asset, cacheDir, path, progress)).rejects.toThrow(
    new RegExp(`sample-1.0-py3-none-any.whl is not the file that is pinned.*expected ${asset.wheel.sha256}`),
  );
  expect(listFiles(cacheDir)).toEqual([]);
});

it('names the package that the index does not have', async () => {
  const asset = assetOf(publishWheel('text'));
  rmSync(join(dir, 'index', 'sample-1.0-py3-none-any.whl'));
  const fetched = wheelFile(asset, cacheDir, join(cacheDir, 'sample', 'abc', 'data.txt'), progress);
  await expect(fetched).rejects.toThrow(/sample==1.0/);
});

it('makes a fresh start of what a killed setup left behind', async () => {
  const asset = assetOf(publishWheel('text'));
  const path = join(cacheDir, 'sample', 'abc', 'data.txt');
  const id = sha256(join(cacheDir, 'sample', 'abc')).slice(0, 12);
  mkdirSync(join(cacheDir, 'tmp', id), { recursive: true });
  writeFileSync(join(cacheDir, 'tmp', id, 'data.txt'), 'half');
  expect(await wheelFile(asset, cacheDir, path, progress)).toBe('fetched');
  expect(readdirSync(join(path, '..'))).toEqual(['data.txt']);
});

it('extracts deflated, stored and empty files', async () => {
  const wheel = publishWheel('text');
  expect(await extractZip(wheel, (name) => (name.startsWith('sample/') ? join(dir, name) : undefined))).toBe(3);
  const contents = ['data.txt', 'stored.txt', 'empty.txt'].map((name) =>
    readFileSync(join(dir, 'sample', name), 'utf8'),
  );
  expect(contents).toEqual(['text'.repeat(1000), 'stored', '']);
});

it('refuses an archive that is cut off', async () => {
  const wheel = publishWheel('text');
  truncateSync(wheel, readFileSync(wheel).length - 30);
  await expect(extractZip(wheel, (name) => join(dir, name))).rejects.toThrow('not a zip archive');
  expect(existsSync(join(dir, 'sample'))).toBe(false);
});
