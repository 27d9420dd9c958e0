import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { DriftError } from '../../drift-error.js';
import type { Stack } from '../../stack/stack.js';
import type { NothingToDo } from '../../training/train.js';
import { EXIT } from '../program.js';
import { stackEnv } from './service.js';

/** What the native library says of itself while it loads, whatever its log level. */
const NATIVE_CHATTER = /^(WARNING: All log messages before absl|I\d{4} )/;

/**
 * Runs `driftloop train` as a CronJob would, and returns the object of its last line. Its progress goes to stderr.
 * @throws DriftError `not-found` when there was too little to train on, `training-diverged` when it does not end well; the
 *   signal's reason once it was aborted and the trainer has ended
 */
export async function runTrainer<T>(stack: Stack, args: string[], signal: AbortSignal): Promise<T> {
  const child = spawn(process.execPath, [process.argv[1] ?? '', 'train', ...args, '--json'], {
    env: stackEnv(stack),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('exit', resolve).on('error', (error) => {
      if (!signal.aborted) reject(error);
    });
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (!NATIVE_CHATTER.test(line)) process.stderr.write(`${line}\n`);
  });
  const [code, last] = await Promise.all([exit, lastLine(child.stdout)]);
  signal.throwIfAborted();
  if (code === EXIT.nothingToDo) {
    const { why } = JSON.parse(last) as NothingToDo;
    throw new DriftError('not-found', `Nothing was trained. ${why} More are found with more --conversations.`);
  }
  if (code !== 0) throw new DriftError('training-diverged', `driftloop train ended with exit code ${code}; see above.`);
  return JSON.parse(last) as T;
}

async function lastLine(output: Readable): Promise<string> {
  let last = '';
  for await (const line of createInterface({ input: output })) if (line.trim()) last = line;
  return last;
}
