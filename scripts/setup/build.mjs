import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listFiles } from './files.mjs';
import { withLock } from './lock.mjs';
import { run } from './run.mjs';

const INPUTS = ['package.json', 'package-lock.json', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'];
const INPUT_DIRS = ['src', 'migrations', 'scripts/setup'];

/**
 * Compiles the service into `dist`, unless that is done. It is compiled beside `dist` and takes its place when it is whole,
 * so that nothing stale, half written or of a deleted source is left in it.
 * @param {string} root
 * @param {string} lock
 * @param {import('./progress.mjs').Progress} progress
 */
export async function build(root, lock, progress) {
  const locked = async () => {
    const sources = hashSources(root);
    if (isBuilt(root, sources)) return 'cached';
    progress.now('nest build');
    const temporary = join(root, 'dist.tmp');
    rmSync(temporary, { recursive: true, force: true });
    try {
      await compile(root, temporary);
      chmodSync(join(temporary, 'src', 'main.js'), 0o755);
      writeFileSync(join(temporary, '.sources'), sources);
      replace(join(root, 'dist'), temporary);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
    return 'built';
  };
  return await withLock(lock, locked, progress.waiting);
}

/** @param {string} root */
function hashSources(root) {
  const inputs = INPUT_DIRS.flatMap((dir) => listFiles(join(root, dir)).map((file) => join(dir, file)));
  const hash = createHash('sha256');
  for (const path of [...INPUTS, ...inputs.filter((file) => !file.endsWith('.spec.ts'))]) {
    const content = readFileSync(join(root, path));
    hash.update(`${path} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/**
 * Built from these sources, and not written to since: a developer's own `nest build` may have put something else there.
 * @param {string} root
 * @param {string} sources
 */
function isBuilt(root, sources) {
  const stamp = join(root, 'dist', '.sources');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== sources) return false;
  const builtMs = statSync(stamp).mtimeMs;
  return listFiles(join(root, 'dist')).every((file) => statSync(join(root, 'dist', file)).mtimeMs <= builtMs);
}

/**
 * @param {string} root
 * @param {string} outDir beside `dist`, so that the source maps' relative paths stay right
 */
async function compile(root, outDir) {
  const config = join(root, 'tsconfig.setup.tmp.json');
  writeFileSync(
    config,
    JSON.stringify({
      extends: './tsconfig.build.json',
      compilerOptions: { outDir, incremental: false, tsBuildInfoFile: null },
    }),
  );
  try {
    await run(
      process.execPath,
      [join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js'), 'build', '--path', 'tsconfig.setup.tmp.json'],
      { cwd: root },
    );
  } finally {
    rmSync(config);
  }
}

/**
 * @param {string} dist
 * @param {string} built
 */
function replace(dist, built) {
  const old = `${dist}.old`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(built, dist);
  rmSync(old, { recursive: true, force: true });
}
