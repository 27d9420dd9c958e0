import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ggufFile } from '../../test/factories/gguf-file.js';
import { importGguf } from './gguf-import.js';
import { readModelConfig } from './model-config.js';
import { openWeights } from './safetensors-reader.js';
import { Tokenizer } from './tokenizer.js';

let root: string;
let source: string;
let dir: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'driftloop-gguf-'));
  source = join(root, 'model.gguf');
  dir = join(root, 'models', 'imported');
});
afterEach(() => rmSync(root, { recursive: true }));

test('writes a Hugging Face directory, with the rows of q and k in Hugging Face’s order', async () => {
  writeFileSync(source, ggufFile());
  await importGguf(source, dir);
  expect(readModelConfig(dir)).toMatchObject({
    layers: 1,
    heads: 2,
    kvHeads: 1,
    headDim: 4,
    rmsNormEps: 1e-5,
    ropeTheta: 100,
  });
  const weights = openWeights(dir);
  const firstColumn = (name: string) => {
    const tensor = weights.get(`model.layers.0.self_attn.${name}.weight`)!;
    const values = tensor.read();
    return Array.from({ length: tensor.shape[0]! }, (_, row) => values[row * tensor.shape[1]!]);
  };
  // The file's row r begins with r; within a head of 4 the halves lie interleaved: 0 2 | 1 3.
  expect(firstColumn('q_proj')).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
  expect(firstColumn('k_proj')).toEqual([0, 2, 1, 3]);
  expect(firstColumn('v_proj')).toEqual([0, 1, 2, 3]);
  const tokenizer = Tokenizer.load(dir);
  expect(tokenizer.encode('<|im_start|>ab1')).toEqual([1, 6, 5]);
  expect(tokenizer.eosIds).toEqual([2]);
  expect(tokenizer.renderChat([{ role: 'user', content: 'ab' }])).toBe('ab');
  expect(readdirSync(join(root, 'models'))).toEqual(['imported']);
});

test('takes the place of a directory that is there', async () => {
  writeFileSync(source, ggufFile());
  await importGguf(source, dir);
  rmSync(join(dir, 'config.json'));
  await importGguf(source, dir);
  expect(JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8'))).toMatchObject({ tie_word_embeddings: true });
});

test.each([
  [{ 'general.architecture': 'mamba' }, /general\.architecture/],
  [{ 'tokenizer.ggml.pre': 'qwen2' }, /tokenizer\.ggml\.pre/],
])('refuses what it would convert wrongly: %j', async (metadata, message) => {
  writeFileSync(source, ggufFile(metadata));
  await expect(importGguf(source, dir)).rejects.toThrow(message);
  expect(existsSync(dir)).toBe(false);
});

test('names a file that is cut off or not GGUF', async () => {
  const whole = ggufFile();
  writeFileSync(source, whole);
  truncateSync(source, whole.length - 1);
  await expect(importGguf(source, dir)).rejects.toThrow(/model\.gguf is cut off: tensor output_norm\.weight/);
  writeFileSync(source, 'not a model');
  await expect(importGguf(source, dir)).rejects.toMatchObject({ code: 'model-invalid' });
  expect(existsSync(dir)).toBe(false);
});
