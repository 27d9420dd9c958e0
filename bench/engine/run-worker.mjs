import { spawn } from 'node:child_process';
import { pythonEnv } from '../../scripts/interop/python-env.mjs';

/** Of the last lines of a failed worker's errors, enough to see why. */
const ERROR_CHARACTERS = 1500;

/**
 * Runs a worker with its settings as one JSON argument and returns the JSON object it prints as its last line.
 * @param {string} command
 * @param {string} script
 * @param {unknown} settings
 * @returns {Promise<any>}
 */
function runWorker(command, script, settings) {
  const child = spawn(command, [script, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (errors = (errors + text).slice(-ERROR_CHARACTERS)));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code !== 0)
        return reject(new Error(`${script} ended with ${signal ?? `exit code ${code}`}: ${errors.trim()}`));
      const line = output.trimEnd().split('\n').at(-1) ?? '';
      try {
        resolve(JSON.parse(line));
      } catch (cause) {
        reject(new Error(`${script} ended with no JSON object but: ${line.slice(0, ERROR_CHARACTERS)}`, { cause }));
      }
    });
  });
}

/** @type {(script: string, settings: unknown) => Promise<any>} */
export const runNode = (script, settings) => runWorker(process.execPath, script, settings);

/** @type {(script: string, settings: unknown) => Promise<any>} */
export const runPython = (script, settings) => runWorker(pythonEnv(), script, settings);
