import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultCacheDir } from '../../../scripts/setup/assets.mjs';

const VERSION = '3.22.1';
const BINARIES = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
};

/**
 * node-llama-cpp with its prebuilt binary for this machine's CPU, installed once into the cache: only the bench needs it.
 * @returns the folder that has it in `node_modules`
 */
export function llamaCppPackage() {
  const dir = join(defaultCacheDir(), 'bench', `node-llama-cpp-${VERSION}`);
  if (existsSync(join(dir, 'complete'))) return dir;
  const binary = BINARIES[`${process.platform}-${process.arch}`];
  if (binary === undefined) throw new Error(`node-llama-cpp has no binary for ${process.platform}-${process.arch}`);
  console.error('installing node-llama-cpp (85 MB, once) …');
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  // Its optional dependencies are the binaries for every platform and GPU.
  const packages = [`node-llama-cpp@${VERSION}`, `@node-llama-cpp/${binary}@${VERSION}`];
  const options = ['--no-save', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund'];
  execFileSync('npm', ['install', '--prefix', dir, ...options, ...packages], { cwd: dir, stdio: ['ignore', 2, 2] });
  writeFileSync(join(dir, 'complete'), '');
  return dir;
}
