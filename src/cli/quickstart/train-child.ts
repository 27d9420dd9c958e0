import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { DriftError } from '../../drift-error.js';
import type { Stack } from '../../stack/stack.js';
import type { NothingToDo } from '../../training/train.js';
import { EXIT } from '../program.js';
import { stackEnv } from './service.js';

/** What the native library says of itself while it loads, whatever its log level. */
const NATIVE_CHATTER = /^(WARNING: All log messages before absl|I\d{4} )/;

/**
 * Runs `driftloop train` as a CronJob would, and returns the object of its last line. Its progress goes to stderr.
 * @throws DriftError `not-found` when there was too little to train on, `training-diverged` when it does not end well
 */
export async function runTrainer<T>(stack: Stack, args: string[], signal: AbortSignal): Promise<T> {
  const child = spawn(process.execPath, [process.argv[1] ?? '', 'train', ...args, '--json'], {
    env: stackEnv(stack),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const exit = new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject));
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (!NATIVE_CHATTER.test(line)) process.stderr.write(`${line}\n`);
  });
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) if (line.trim()) last = line;
  const code = await exit;
  if (code === EXIT.nothingToDo) {
    const { why } = JSON.parse(last) as NothingToDo;
    throw new DriftError('not-found', `Nothing was trained. ${why} More are found with more --conversations.`);
  }
  if (code !== 0) throw new DriftError('training-diverged', `driftloop train ended with exit code ${code}; see above.`);
  return JSON.parse(last) as T;
}
