import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeTinyModel } from '../../test/factories/tiny-model.js';
import { createProgram } from './program.js';

let root: string;
const place = (name: string) => join(root, name);

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'driftloop-dpo-'));
  writeTinyModel(place('tiny'));
  const pair = { prompt_ids: [1, 70], chosen_ids: [90, 2], rejected_ids: [100, 101, 2] };
  writeFileSync(place('pairs.jsonl'), `${JSON.stringify(pair)}\n`);
});
afterAll(() => rmSync(root, { recursive: true }));

async function dpo(out: string, ...more: string[]): Promise<void> {
  const args = ['dpo', '--model', place('tiny'), '--pairs', place('pairs.jsonl'), '--out', place(out), '--lr', '0.01'];
  await (await createProgram()).parseAsync([...args, ...more], { from: 'user' });
}

const trace = (name: string) => JSON.parse(readFileSync(place(name), 'utf8'));

test('goes on from the adapter of another training, with its rank and alpha', async () => {
  await dpo('first', '--lora-rank', '4', '--lora-alpha', '12', '--trace', place('first.jsonl'));
  await dpo('second', '--lora-init', place('first'), '--trace', place('second.jsonl'));
  const { r, lora_alpha } = JSON.parse(readFileSync(join(place('second'), 'adapter_config.json'), 'utf8'));
  expect([r, lora_alpha]).toEqual([4, 12]);
  expect(trace('second.jsonl').chosenLogps).not.toBe(trace('first.jsonl').chosenLogps);
  expect(trace('second.jsonl').margin).toBe(0);
});

test('says what cannot be written before it loads the model, and leaves nothing', async () => {
  const under = dpo('pairs.jsonl/out');
  await expect(under).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('pairs.jsonl/out') });
  const before = readdirSync(root);
  const traced = dpo('out', '--trace', place('none/trace.jsonl'));
  await expect(traced).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('none/trace') });
  expect([readdirSync(root), existsSync(place('out'))]).toEqual([before, false]);
});

test('takes no dropout that leaves nothing', async () => {
  const all = dpo('dropped', '--lora-rank', '2', '--lora-dropout', '1');
  await expect(all).rejects.toMatchObject({ code: 'commander.invalidArgument' });
});
