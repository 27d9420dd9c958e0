import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TINY_LLAMA, TINY_QWEN2 } from '../../test/factories/random-decoder.js';
import { readModelConfig } from './model-config.js';
import { writeSafetensors } from './safetensors-writer.js';
import { expectedShapes, loadWeights } from './weights.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'driftloop-config-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const LLAMA = {
  architectures: ['LlamaForCausalLM'],
  vocab_size: 100,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};

function read(config: object) {
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config));
  return readModelConfig(dir);
}

test('reads RoPE’s theta where transformers 5 and earlier versions put it', () => {
  expect(read({ ...LLAMA, rope_theta: 5e5 }).ropeTheta).toBe(5e5);
  expect(read({ ...LLAMA, rope_parameters: { rope_theta: 1e6, rope_type: 'default' } }).ropeTheta).toBe(1e6);
  expect(read(LLAMA)).toMatchObject({ ropeTheta: 10_000, headDim: 16, tiedEmbeddings: false, qkvBias: false });
});

test('reads RoPE scaling of types linear and llama3, and refuses one that lacks a number', () => {
  expect(read({ ...LLAMA, rope_scaling: { type: 'linear', factor: 2 } }).ropeScaling).toEqual({
    type: 'linear',
    factor: 2,
  });
  const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
  const rope_parameters = { ...llama3, rope_theta: 5e5, original_max_position_embeddings: 8192 };
  expect(read({ ...LLAMA, rope_parameters })).toMatchObject({
    ropeTheta: 5e5,
    ropeScaling: {
      type: 'llama3',
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalMaxPositions: 8192,
    },
  });
  expect(() => read({ ...LLAMA, rope_scaling: llama3 })).toThrow(/RoPE scaling: original_max_position_embeddings/);
});

test('knows that Qwen2 has biases on q, k and v', () => {
  const config = read({ ...LLAMA, architectures: ['Qwen2ForCausalLM'], head_dim: 32 });
  expect(config).toMatchObject({ qkvBias: true, outputBias: false, headDim: 32 });
});

test.each([
  [{ ...LLAMA, architectures: ['MambaForCausalLM'] }, /architecture MambaForCausalLM is unknown/],
  [{ ...LLAMA, rope_scaling: { rope_type: 'yarn' } }, /RoPE scaling of type yarn/],
  [{ ...LLAMA, num_key_value_heads: 3 }, /4 attention heads cannot share 3/],
  [{ ...LLAMA, hidden_size: undefined }, /hidden_size/],
  [{ ...LLAMA, hidden_act: 'gelu' }, /hidden_act/],
])('refuses a model it would compute wrongly', (config, message) => {
  expect(() => read(config)).toThrow(
    expect.objectContaining({ code: 'model-invalid', message: expect.stringMatching(message) }),
  );
});

test.each([TINY_LLAMA, TINY_QWEN2])('names a missing and a misshapen tensor of $architecture', (config) => {
  const shapes = [...expectedShapes(config)];
  const write = (tensors: [string, number[]][]) =>
    writeSafetensors(
      join(dir, 'model.safetensors'),
      tensors.map(([name, shape]) => ({ name, shape, read: () => new Float32Array(shape.reduce((a, b) => a * b, 1)) })),
    );
  const name = 'model.layers.1.self_attn.k_proj.weight';
  write(shapes.filter(([other]) => other !== name));
  expect(() => loadWeights(dir, config)).toThrow(`lack the tensor ${name}`);
  write(shapes.map(([other, shape]) => [other, other === name ? [4, 8] : shape]));
  expect(() => loadWeights(dir, config)).toThrow(`tensor ${name} has shape [4,8], expected [8,8]`);
});
