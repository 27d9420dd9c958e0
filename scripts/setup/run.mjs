import { execFileSync, spawn } from 'node:child_process';
import { SetupError } from './progress.mjs';

const TAIL_LINES = 15;

/**
 * Runs a program to its end, quietly.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<string>} what it printed
 * @throws SetupError with the end of its output if it fails
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (output += data));
    child.on('error', (cause) => reject(new SetupError(`${command} cannot be run: ${cause.message}`, { cause })));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const tail = output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n    ');
      reject(new SetupError(`${command} ${args[0] ?? ''} ended with ${signal ?? code}:\n    ${tail}`));
    });
  });
}

/**
 * The first of the programs that runs with these arguments.
 * @param {string[]} commands
 * @param {string[]} args something harmless, like `--version`
 */
export function firstThatRuns(commands, args) {
  return commands.find((command) => {
    try {
      execFileSync(command, args, { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}
