import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { DriftError } from '../drift-error.js';
import { type GgufMetadata, openGguf } from './gguf-file.js';
import { tokenizerFiles } from './gguf-tokenizer.js';
import type { LazyTensor } from './lazy-tensor.js';
import { type RopeScaling, readModelConfig } from './model-config.js';
import { ropeFrequencies } from './rope-frequencies.js';
import { writeSafetensors } from './safetensors-writer.js';
import { checkedTensors, EMBEDDING, OUTPUT } from './weight-shapes.js';

const count = z.union([z.int(), z.bigint().transform(Number)]);
const SCALINGS = ['none', 'linear'] as const;
/** Keys after the architecture's name and a dot. */
const sizesSchema = z.object({
  block_count: count,
  context_length: count,
  embedding_length: count,
  feed_forward_length: count,
  'attention.head_count': count,
  'attention.head_count_kv': count.optional(),
  'attention.key_length': count.optional(),
  'attention.layer_norm_rms_epsilon': z.number(),
  'rope.freq_base': z.number().default(10_000),
  'rope.dimension_count': count.optional(),
  'rope.scaling.type': z.enum(SCALINGS).default('none'),
  'rope.scaling.factor': z.number().optional(),
  vocab_size: count.optional(),
});
const generalSchema = z.object({
  'general.architecture': z.enum(['llama', 'qwen2']),
  'tokenizer.ggml.bos_token_id': count.optional(),
  'tokenizer.ggml.eos_token_id': count,
  'tokenizer.ggml.padding_token_id': count.optional(),
});

interface Settings {
  architecture: 'llama' | 'qwen2';
  sizes: z.output<typeof sizesSchema>;
  general: z.output<typeof generalSchema>;
  kvHeads: number;
  headDim: number;
}

/**
 * Writes a GGUF model (Llama or Qwen2, with a byte-level BPE tokenizer) as a Hugging Face directory with fp32 weights,
 * under a temporary name first: the directory appears whole or not at all.
 * @throws DriftError `model-invalid`
 */
export async function importGguf(source: string, dir: string): Promise<void> {
  const { metadata, tensors } = await openGguf(source);
  const settings = readSettings(source, metadata);
  const scaling = ropeScaling(source, settings, tensors);
  const kept = tensors.filter(({ name }) => name !== ROPE_FACTORS);
  const weights = kept.map((tensor) => toHuggingFace(tensor, settings));
  const files = {
    ...tokenizerFiles(metadata, settings.sizes.context_length),
    ...configFiles(settings, weights, scaling),
  };
  const temporary = `${dir}.${process.pid}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  try {
    for (const [name, content] of Object.entries(files)) {
      const text = typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`;
      writeFileSync(join(temporary, name), text);
    }
    checkedTensors(source, new Map(weights.map((tensor) => [tensor.name, tensor])), readModelConfig(temporary));
    writeSafetensors(join(temporary, 'model.safetensors'), weights);
    mkdirSync(dirname(dir), { recursive: true });
    rmSync(dir, { recursive: true, force: true });
    renameSync(temporary, dir);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

function readSettings(source: string, metadata: GgufMetadata): Settings {
  const general = parse(source, generalSchema, metadata, '');
  const architecture = general['general.architecture'];
  const prefix = `${architecture}.`;
  const own = Object.entries(metadata).flatMap(([key, value]) =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
  );
  const sizes = parse(source, sizesSchema, Object.fromEntries(own), prefix);
  const heads = sizes['attention.head_count'];
  const headDim = sizes['attention.key_length'] ?? sizes['rope.dimension_count'] ?? sizes.embedding_length / heads;
  if (sizes['rope.dimension_count'] !== undefined && sizes['rope.dimension_count'] !== headDim) {
    throw new DriftError('model-invalid', `${source} cannot be converted: RoPE turns only a part of each head.`);
  }
  return { architecture, sizes, general, headDim, kvHeads: sizes['attention.head_count_kv'] ?? heads };
}

function parse<T>(source: string, schema: z.ZodType<T>, value: unknown, prefix: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${prefix}${issue.path.join('.')}: ${issue.message}`);
  throw new DriftError('model-invalid', `${source} cannot be converted: ${problems.join('; ')}`);
}

/** Llama 3's scaling: what each frequency is divided by. The numbers that it was made from are not in the file. */
const ROPE_FACTORS = 'rope_freqs.weight';
const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };

/** As `config.json` says it; null without any. */
function ropeScaling(source: string, { sizes, headDim }: Settings, tensors: readonly LazyTensor[]): object | null {
  const factors = tensors.find(({ name }) => name === ROPE_FACTORS)?.read();
  if (factors === undefined) {
    return sizes['rope.scaling.type'] === 'none'
      ? null
      : { rope_type: sizes['rope.scaling.type'], factor: sizes['rope.scaling.factor'] };
  }
  const factor = Math.max(...factors);
  const ropeTheta = sizes['rope.freq_base'];
  const plain = ropeFrequencies({ headDim, ropeTheta, ropeScaling: null });
  const scaling: RopeScaling = {
    type: 'llama3',
    factor,
    lowFrequencyFactor: LLAMA3.low_freq_factor,
    highFrequencyFactor: LLAMA3.high_freq_factor,
    originalMaxPositions: LLAMA3.original_max_position_embeddings,
  };
  const scaled = ropeFrequencies({ headDim, ropeTheta, ropeScaling: scaling });
  const agree = plain.every((frequency, i) => Math.abs(frequency / scaled[i]! / factors[i]! - 1) < 1e-3);
  if (agree) return { rope_type: 'llama3', factor, ...LLAMA3 };
  throw new DriftError('model-invalid', `${source}: the factors in ${ROPE_FACTORS} are not those of Llama 3.`);
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
  'output.weight': OUTPUT,
};

function huggingFaceName(name: string): string {
  const [, layer, part, kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? [];
  const inBlock = part === undefined ? undefined : BLOCK_NAMES[part];
  const found = inBlock === undefined ? NAMES[name] : `model.layers.${layer}.${inBlock}.${kind}`;
  if (found === undefined)
    throw new DriftError('model-invalid', `The GGUF file has a tensor of unknown meaning: ${name}.`);
  return found;
}

function toHuggingFace(tensor: LazyTensor, { architecture, sizes, kvHeads }: Settings): LazyTensor {
  const name = huggingFaceName(tensor.name);
  if (architecture === 'llama' && name.includes('q_proj'))
    return { ...tensor, name, read: () => deinterleave(tensor, sizes['attention.head_count']) };
  if (architecture === 'llama' && name.includes('k_proj'))
    return { ...tensor, name, read: () => deinterleave(tensor, kvHeads) };
  return { ...tensor, name };
}

/**
 * For Llama, llama.cpp keeps the two halves of a head that RoPE rotates as neighbouring rows; Hugging Face one after
 * the other. The same for a bias [rows].
 */
function deinterleave(tensor: LazyTensor, heads: number): Float32Array {
  const [rows, columns = 1] = tensor.shape as [number, number?];
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

function configFiles(
  { architecture, sizes, general, kvHeads, headDim }: Settings,
  weights: readonly LazyTensor[],
  scaling: object | null,
): Record<string, unknown> {
  const has = (name: string) => weights.some((tensor) => tensor.name === name);
  const ids = {
    bos_token_id: general['tokenizer.ggml.bos_token_id'],
    eos_token_id: general['tokenizer.ggml.eos_token_id'],
    pad_token_id: general['tokenizer.ggml.padding_token_id'],
  };
  const config = {
    architectures: [architecture === 'llama' ? 'LlamaForCausalLM' : 'Qwen2ForCausalLM'],
    model_type: architecture,
    vocab_size: sizes.vocab_size ?? weights.find(({ name }) => name === EMBEDDING)?.shape[0],
    hidden_size: sizes.embedding_length,
    intermediate_size: sizes.feed_forward_length,
    num_hidden_layers: sizes.block_count,
    num_attention_heads: sizes['attention.head_count'],
    num_key_value_heads: kvHeads,
    head_dim: headDim,
    hidden_act: 'silu',
    max_position_embeddings: sizes.context_length,
    // GGUF keeps it as a float32: 1e-5 reads as 0.00000999999975.
    rms_norm_eps: Number(sizes['attention.layer_norm_rms_epsilon'].toPrecision(6)),
    rope_theta: sizes['rope.freq_base'],
    ...(scaling === null ? {} : { rope_scaling: scaling }),
    attention_bias: has('model.layers.0.self_attn.o_proj.bias'),
    mlp_bias: false,
    tie_word_embeddings: !has(OUTPUT),
    torch_dtype: 'float32',
    ...ids,
  };
  return { 'config.json': config, 'generation_config.json': ids };
}
