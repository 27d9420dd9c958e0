import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafetensors } from '../../src/model/safetensors-writer.js';
import { uniform } from '../../src/seeds.js';

const SPECIAL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];
const TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** GPT-2's letters for the 256 bytes. */
function byteLetters(): string[] {
  const printable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let spare = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : spare++));
}

/** A tokenizer of the default model's kind with one token a byte, and its chat template. */
export function writeTinyTokenizer(dir: string): void {
  const tokens = [...SPECIAL, ...byteLetters()];
  const added = SPECIAL.map((content, id) => ({
    id,
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  }));
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const model = { type: 'BPE', vocab, merges: [], unk_token: null };
  mkdirSync(dir, { recursive: true });
  writeJson(dir, 'tokenizer.json', {
    version: '1.0',
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model,
  });
  writeJson(dir, 'tokenizer_config.json', {
    bos_token: '<|im_start|>',
    eos_token: '<|im_end|>',
    pad_token: '<|im_end|>',
  });
  writeFileSync(join(dir, 'chat_template.jinja'), TEMPLATE);
}

const SIZE = { vocab: 260, hidden: 16, heads: 2, kvHeads: 1, mlp: 32, layers: 2 };

/** A whole Llama directory with random weights, of which a few thousand parameters suffice to train in milliseconds. */
export function writeTinyModel(dir: string, seed = 1): void {
  writeTinyTokenizer(dir);
  writeJson(dir, 'config.json', {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: SIZE.vocab,
    hidden_size: SIZE.hidden,
    intermediate_size: SIZE.mlp,
    num_hidden_layers: SIZE.layers,
    num_attention_heads: SIZE.heads,
    num_key_value_heads: SIZE.kvHeads,
    hidden_act: 'silu',
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    max_position_embeddings: 4096,
    tie_word_embeddings: true,
    bos_token_id: 1,
    eos_token_id: 2,
    pad_token_id: 2,
    torch_dtype: 'float32',
  });
  writeJson(dir, 'generation_config.json', { bos_token_id: 1, eos_token_id: 2, pad_token_id: 2 });
  const next = uniform(seed);
  const tensors = shapes().map(([name, shape]) => ({ name, shape, read: () => values(name, shape, next) }));
  writeSafetensors(join(dir, 'model.safetensors'), tensors);
}

function shapes(): [string, number[]][] {
  const { vocab, hidden, heads, kvHeads, mlp, layers } = SIZE;
  const kv = (hidden / heads) * kvHeads;
  const blocks = Array.from({ length: layers }, (_, layer): [string, number[]][] => [
    [`model.layers.${layer}.input_layernorm.weight`, [hidden]],
    [`model.layers.${layer}.post_attention_layernorm.weight`, [hidden]],
    [`model.layers.${layer}.self_attn.q_proj.weight`, [hidden, hidden]],
    [`model.layers.${layer}.self_attn.k_proj.weight`, [kv, hidden]],
    [`model.layers.${layer}.self_attn.v_proj.weight`, [kv, hidden]],
    [`model.layers.${layer}.self_attn.o_proj.weight`, [hidden, hidden]],
    [`model.layers.${layer}.mlp.gate_proj.weight`, [mlp, hidden]],
    [`model.layers.${layer}.mlp.up_proj.weight`, [mlp, hidden]],
    [`model.layers.${layer}.mlp.down_proj.weight`, [hidden, mlp]],
  ]);
  return [['model.embed_tokens.weight', [vocab, hidden]], ...blocks.flat(), ['model.norm.weight', [hidden]]];
}

function values(name: string, shape: number[], next: () => number): Float32Array {
  const size = shape.reduce((product, length) => product * length, 1);
  if (name.includes('norm')) return new Float32Array(size).fill(1);
  return Float32Array.from({ length: size }, () => (next() - 0.5) * 0.4);
}

function writeJson(dir: string, name: string, content: unknown): void {
  writeFileSync(join(dir, name), JSON.stringify(content));
}
