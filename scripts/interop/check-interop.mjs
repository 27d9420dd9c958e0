#!/usr/bin/env node
// npm run check:interop [-- DIR …] [-- --json]
// Checks with transformers and peft that what Driftloop writes loads, tokenises, scores and generates as it does here:
// the default model, one training step of it (full weights, adapter), and each DIR, a published policy version.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pythonEnv } from './python-env.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const reference = join(root, 'test/reference/smollm2-135m');
const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' } } });

const driftloop = (...args) =>
  execFileSync(process.execPath, [join(root, 'dist/src/main.js'), ...args], {
    stdio: ['ignore', 'pipe', 2],
    encoding: 'utf8',
  });

const jsonl = (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Writes the inputs that every case shares, and returns their paths. */
function writeInputs(dir) {
  const pairs = JSON.parse(readFileSync(join(reference, 'pairs_small32.json'), 'utf8'));
  const completions = pairs
    .slice(0, 4)
    .map(({ prompt_ids, chosen_ids }) => ({ prompt_ids, completion_ids: chosen_ids }));
  writeFileSync(join(dir, 'pairs.jsonl'), jsonl(pairs.slice(0, 4)));
  writeFileSync(join(dir, 'completions.jsonl'), jsonl(completions));
  return { pairs: join(dir, 'pairs.jsonl'), completions: join(dir, 'completions.jsonl') };
}

function scored(dir, inputs, name, model) {
  const scores = join(dir, `${name}.scores.jsonl`);
  driftloop('score', '--model', model, '--in', inputs.completions, '--out', scores);
  return { name, dir: model, scores, tokenizer: join(reference, 'tokenizer.json') };
}

function cases(dir) {
  const inputs = writeInputs(dir);
  const base = JSON.parse(driftloop('models', 'list', '--json').split('\n')[0]).dir;
  const full = join(dir, 'full');
  driftloop('dpo', '--model', base, '--pairs', inputs.pairs, '--out', full, '--lr', '1e-5', '--max-steps', '1');
  return [
    scored(dir, inputs, 'default-model', base),
    scored(dir, inputs, 'one-step', full),
    ...adapters(dir, inputs, base),
    ...positionals.map((path) => scored(dir, inputs, path.split('/').at(-1), resolve(path))),
  ];
}

/** An adapter of some layers, trained with dropout, as it is and merged. */
function adapters(dir, inputs, base) {
  const [out, merged] = [join(dir, 'adapter'), join(dir, 'merged')];
  const lora = ['--lora-rank', '8', '--lora-targets', 'q_proj,v_proj,down_proj', '--lora-dropout', '0.05'];
  const steps = ['--lr', '1e-3', '--max-steps', '1'];
  driftloop('dpo', '--model', base, '--pairs', inputs.pairs, '--out', out, ...steps, ...lora);
  driftloop('models', 'merge', '--adapter', out, '--out', merged);
  return [{ ...scored(dir, inputs, 'one-step-adapter', out), base }, scored(dir, inputs, 'merged-adapter', merged)];
}

function run(dir) {
  const file = join(dir, 'cases.json');
  writeFileSync(file, JSON.stringify(cases(dir)));
  const { stdout, status } = spawnSync(pythonEnv(), [join(root, 'scripts/interop/check_interop.py'), file], {
    stdio: ['ignore', 'pipe', 2],
    encoding: 'utf8',
  });
  const results = stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  if (status !== 0) results.push({ name: 'python', failures: [`ended with exit code ${status}`] });
  return results;
}

const dir = mkdtempSync(join(tmpdir(), 'driftloop-interop-'));
try {
  const results = run(dir);
  for (const { name, logprobError, generated, failures } of results) {
    console.log(
      `${failures.length === 0 ? '✓' : '✗'} ${name}: worst log-probability difference ${logprobError}, says "${generated}"`,
    );
    for (const failure of failures) console.log(`  ${failure}`);
  }
  const pass = results.every(({ failures }) => failures.length === 0);
  if (values.json) console.log(JSON.stringify({ cases: results, pass }));
  process.exitCode = pass ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
