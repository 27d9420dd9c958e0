import { execFileSync, spawn } from 'node:child_process';
import { SetupError } from './progress.mjs';

/** Some programs say first what is wrong, others last. */
const HEAD_LINES = 8;
const TAIL_LINES = 12;

/**
 * Runs a program to its end, quietly.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<string>} what it printed
 * @throws SetupError with the beginning and the end of its output if it fails
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (output += data));
    child.on('error', (cause) => reject(new SetupError(`${command} cannot be run: ${cause.message}`, { cause })));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output);
      reject(new SetupError(`${commandLine(command, args)} ended with ${signal ?? code}:\n    ${excerpt(output)}`));
    });
  });
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function commandLine(command, args) {
  const line = [command, ...args].join(' ').replaceAll('\n', ' ');
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

/** @param {string} output */
function excerpt(output) {
  const lines = output.trimEnd().split('\n');
  const isShort = lines.length <= HEAD_LINES + TAIL_LINES;
  return (isShort ? lines : [...lines.slice(0, HEAD_LINES), '…', ...lines.slice(-TAIL_LINES)]).join('\n    ');
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
