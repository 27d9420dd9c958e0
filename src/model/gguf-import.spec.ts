import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ggufFile, qwen2GgufFile, TENSORS } from '../../test/factories/gguf-file.js';
import { importGguf } from './gguf-import.js';
import { readModelConfig } from './model-config.js';
import { openWeights } from './safetensors-reader.js';
import { Tokenizer } from './tokenizer.js';
import { checkedTensors } from './weight-shapes.js';

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

test('leaves the rows of a Qwen2 model as they are, and takes its biases and output layer along', async () => {
  writeFileSync(source, qwen2GgufFile());
  await importGguf(source, dir);
  const config = readModelConfig(dir);
  expect(config).toMatchObject({ architecture: 'Qwen2ForCausalLM', qkvBias: true, tiedEmbeddings: false, headDim: 4 });
  const weights = openWeights(dir);
  expect([...weights.get('model.layers.0.self_attn.q_proj.bias')!.read()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  const q = weights.get('model.layers.0.self_attn.q_proj.weight')!.read();
  expect([0, 8, 16, 24].map((first) => q[first])).toEqual([0, 1, 2, 3]);
  expect(() => checkedTensors(dir, weights, config)).not.toThrow();
  expect(Tokenizer.load(dir).encode('ab1')).toEqual([6, 5]);
});

test('reads linear RoPE scaling by its name, and Llama 3’s out of the factors that it leaves', async () => {
  writeFileSync(source, ggufFile({ 'llama.rope.scaling.type': 'linear', 'llama.rope.scaling.factor': 2 }));
  await importGguf(source, dir);
  expect(readModelConfig(dir).ropeScaling).toEqual({ type: 'linear', factor: 2 });
  // Of a head's two pairs the second turns 0.2 times within 8,192 tokens.
  const theta = { 'llama.rope.freq_base': 5e7 };
  writeFileSync(source, ggufFile(theta, [...TENSORS, ['rope_freqs.weight', [2], [1, 8]]]));
  await importGguf(source, dir);
  expect(readModelConfig(dir).ropeScaling).toMatchObject({ type: 'llama3', factor: 8, originalMaxPositions: 8192 });
  writeFileSync(source, ggufFile(theta, [...TENSORS, ['rope_freqs.weight', [2], [3, 8]]]));
  await expect(importGguf(source, dir)).rejects.toThrow('rope_freqs.weight are not those of Llama 3');
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
  [{ 'tokenizer.ggml.pre': 'deepseek-llm' }, /tokenizer\.ggml\.pre/],
  [{ 'tokenizer.ggml.model': 'llama' }, /tokenizer\.ggml\.model/],
  [{ 'llama.rope.scaling.type': 'yarn' }, /llama\.rope\.scaling\.type/],
  [{ 'llama.rope.dimension_count': 2, 'llama.attention.key_length': 4 }, /only a part of each head/],
  [{ 'llama.block_count': 2 }, /lack the tensor model\.layers\.1\.input_layernorm\.weight/],
  [
    { 'llama.feed_forward_length': 5 },
    /tensor model\.layers\.0\.mlp\.gate_proj\.weight has shape \[4,8\], expected \[5,8\]/,
  ],
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
