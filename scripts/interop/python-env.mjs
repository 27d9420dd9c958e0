import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const inherit = { stdio: ['ignore', 2, 2] };

/**
 * A Python environment with torch, transformers and peft, made from the package index once and kept in the cache under
 * the hash of what it is made of.
 * @returns path of its interpreter
 */
export function pythonEnv() {
  const recipe = ['requirements.txt', 'torch_cpu_stub.py'].map((file) => readFileSync(join(here, file)));
  const key = createHash('sha256').update(Buffer.concat(recipe)).digest('hex').slice(0, 16);
  const cache =
    process.env.DRIFTLOOP_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'driftloop');
  const dir = join(cache, 'interop', key);
  const python = join(dir, 'bin', 'python');
  if (existsSync(join(dir, 'complete'))) return python;

  console.error('making the Python environment (torch, transformers, peft: about 0.8 GB, once) …');
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  execFileSync('python3', ['-m', 'venv', dir], inherit);
  // Compiling all of it takes more than a CPU-minute; what is imported is compiled then.
  const install = ['-m', 'pip', 'install', '--no-deps', '--no-compile', '-q', '-r', join(here, 'requirements.txt')];
  execFileSync(python, install, inherit);
  const site = execFileSync(python, ['-c', 'import sysconfig; print(sysconfig.get_paths()["purelib"])'], {
    encoding: 'utf8',
  });
  execFileSync(python, [join(here, 'torch_cpu_stub.py'), site.trim()], inherit);
  execFileSync(python, ['-c', 'import torch, transformers, peft'], inherit);
  writeFileSync(join(dir, 'complete'), '');
  return python;
}
