import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { run } from './run.mjs';

/**
 * Installs exactly what package-lock.json says, unless it is installed.
 * @param {string} root
 * @param {string} lock
 * @param {import('./progress.mjs').Progress} progress
 */
export async function npmDependencies(root, lock, progress) {
  const locked = async () => {
    const stamp = join(root, 'node_modules', '.driftloop-setup');
    const wanted = stampOf(root);
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return 'cached';
    if (!isInstalled(root)) {
      progress.now('npm ci');
      await run(...npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']), { cwd: root });
    }
    writeFileSync(stamp, wanted);
    return 'installed';
  };
  return await withLock(lock, locked, progress.waiting);
}

/** @param {string} root */
function stampOf(root) {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  return `${hash} node ${process.versions.node.split('.')[0]}\n`;
}

/**
 * Whether node_modules is what the lock file asks for: npm writes down what it installed, last of all. So a developer's
 * own `npm install` is not done again.
 * @param {string} root
 */
function isInstalled(root) {
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  const wanted = packagesOf(join(root, 'package-lock.json'));
  if (installed === undefined || wanted === undefined) return false;
  const there = Object.keys(wanted).filter((path) => path !== '' && path in installed);
  const absent = Object.keys(wanted).filter((path) => path !== '' && !(path in installed));
  return (
    there.every((path) => installed[path]?.integrity === wanted[path]?.integrity) &&
    there.length === Object.keys(installed).length &&
    absent.every((path) => wanted[path]?.optional === true)
  );
}

/**
 * @param {string} path
 * @returns {Record<string, { integrity?: string, optional?: boolean }> | undefined}
 */
function packagesOf(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined;
}

/**
 * The npm that runs this script, else the one on the path.
 * @param {string[]} args
 * @returns {[string, string[]]}
 */
export function npm(args) {
  const cli = process.env.npm_execpath;
  return cli?.endsWith('.js') ? [process.execPath, [cli, ...args]] : ['npm', args];
}
