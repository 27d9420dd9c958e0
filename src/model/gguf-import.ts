import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { DriftError } from '../drift-error.js';
import { type GgufMetadata, openGguf } from './gguf-file.js';
import { tokenizerFiles } from './gguf-tokenizer.js';
import type { LazyTensor } from './lazy-tensor.js';
import { writeSafetensors } from './safetensors-writer.js';

const schema = z.object({
  'general.architecture': z.literal('llama'),
  'llama.block_count': z.int(),
  'llama.context_length': z.int(),
  'llama.embedding_length': z.int(),
  'llama.feed_forward_length': z.int(),
  'llama.attention.head_count': z.int(),
  'llama.attention.head_count_kv': z.int(),
  'llama.rope.freq_base': z.number(),
  'llama.rope.dimension_count': z.int(),
  'llama.attention.layer_norm_rms_epsilon': z.number(),
  'llama.vocab_size': z.int(),
  'tokenizer.ggml.bos_token_id': z.int(),
  'tokenizer.ggml.eos_token_id': z.int(),
  'tokenizer.ggml.padding_token_id': z.int(),
});
type Settings = z.output<typeof schema>;

/**
 * Writes a GGUF model (Llama, with the default model's tokenizer) as a Hugging Face directory with fp32 weights, under
 * a temporary name first: the directory appears whole or not at all.
 * @throws DriftError `model-invalid`
 */
export async function importGguf(source: string, dir: string): Promise<void> {
  const { metadata, tensors } = await openGguf(source);
  const settings = readSettings(source, metadata);
  const temporary = `${dir}.${process.pid}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  const tied = !tensors.some(({ name }) => name === 'output.weight');
  writeSafetensors(
    join(temporary, 'model.safetensors'),
    tensors.map((tensor) => toHuggingFace(tensor, settings)),
  );
  const files = { ...tokenizerFiles(metadata, settings['llama.context_length']), ...configFiles(settings, tied) };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(
      join(temporary, name),
      typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`,
    );
  }
  mkdirSync(dirname(dir), { recursive: true });
  rmSync(dir, { recursive: true, force: true });
  renameSync(temporary, dir);
}

function readSettings(source: string, metadata: GgufMetadata): Settings {
  const parsed = schema.safeParse(metadata);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new DriftError('model-invalid', `${source} cannot be converted: ${problems.join('; ')}`);
}

const BLOCK_NAMES: Record<string, string> = {
  attn_norm: 'input_layernorm',
  ffn_norm: 'post_attention_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};
const NAMES: Record<string, string> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};

function huggingFaceName(name: string): string {
  const [, layer, part] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
  const inBlock = part === undefined ? undefined : BLOCK_NAMES[part];
  const found = inBlock === undefined ? NAMES[name] : `model.layers.${layer}.${inBlock}.weight`;
  if (found === undefined)
    throw new DriftError('model-invalid', `The GGUF file has a tensor of unknown meaning: ${name}.`);
  return found;
}

function toHuggingFace(tensor: LazyTensor, settings: Settings): LazyTensor {
  const name = huggingFaceName(tensor.name);
  if (name.includes('q_proj'))
    return { ...tensor, name, read: () => deinterleave(tensor, settings['llama.attention.head_count']) };
  if (name.includes('k_proj'))
    return { ...tensor, name, read: () => deinterleave(tensor, settings['llama.attention.head_count_kv']) };
  return { ...tensor, name };
}

/** llama.cpp keeps the two halves of a head that RoPE rotates as neighbouring rows; Hugging Face one after the other. */
function deinterleave(tensor: LazyTensor, heads: number): Float32Array {
  const [rows, columns] = tensor.shape as [number, number];
  const half = rows / heads / 2;
  const source = tensor.read();
  const target = new Float32Array(source.length);
  for (let row = 0; row < rows; row++) {
    const [head, inHead] = [Math.floor(row / (2 * half)), row % (2 * half)];
    const to = head * 2 * half + (inHead % 2) * half + (inHead >> 1);
    target.set(source.subarray(row * columns, (row + 1) * columns), to * columns);
  }
  return target;
}

function configFiles(settings: Settings, tied: boolean): Record<string, unknown> {
  const ids = {
    bos_token_id: settings['tokenizer.ggml.bos_token_id'],
    eos_token_id: settings['tokenizer.ggml.eos_token_id'],
    pad_token_id: settings['tokenizer.ggml.padding_token_id'],
  };
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: settings['llama.vocab_size'],
    hidden_size: settings['llama.embedding_length'],
    intermediate_size: settings['llama.feed_forward_length'],
    num_hidden_layers: settings['llama.block_count'],
    num_attention_heads: settings['llama.attention.head_count'],
    num_key_value_heads: settings['llama.attention.head_count_kv'],
    head_dim: settings['llama.rope.dimension_count'],
    hidden_act: 'silu',
    max_position_embeddings: settings['llama.context_length'],
    // GGUF keeps it as a float32: 1e-5 reads as 0.00000999999975.
    rms_norm_eps: Number(settings['llama.attention.layer_norm_rms_epsilon'].toPrecision(6)),
    rope_theta: settings['llama.rope.freq_base'],
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: tied,
    torch_dtype: 'float32',
    ...ids,
  };
  return { 'config.json': config, 'generation_config.json': ids };
}
