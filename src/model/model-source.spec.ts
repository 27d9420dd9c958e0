import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { modelSource } from './model-source.js';

let root: string;
const place = (name: string) => join(root, name);

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'driftloop-source-'));
  mkdirSync(place('base'));
  writeFileSync(join(place('base'), 'config.json'), '{}');
});
afterAll(() => rmSync(root, { recursive: true }));

function writeAdapter(name: string, base: string): string {
  mkdirSync(place(name));
  const config = { peft_type: 'LORA', r: 4, lora_alpha: 8, base_model_name_or_path: base };
  writeFileSync(join(place(name), 'adapter_config.json'), JSON.stringify(config));
  return place(name);
}

test('takes a model as it is, and an adapter over the base model that it names', () => {
  expect(modelSource(place('base'))).toEqual({ dir: place('base') });
  const adapter = writeAdapter('adapter', place('base'));
  expect(modelSource(adapter)).toMatchObject({
    dir: place('base'),
    lora: { rank: 4, alpha: 8, dropout: 0, seed: 0, initDir: adapter },
  });
});

test('says which base model an adapter lacks', () => {
  expect(() => modelSource(writeAdapter('lost', 'SmolLM2'))).toThrow(/names the base model SmolLM2, which has no/);
});
