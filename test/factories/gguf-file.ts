type Value = string | number | string[] | number[];

const STRING = 8;
const ARRAY = 9;
const UINT32 = 4;
const INT32 = 5;
const FLOAT32 = 6;
const ALIGNMENT = 32;

const METADATA: Record<string, Value> = {
  'general.architecture': 'llama',
  'llama.block_count': 1,
  'llama.context_length': 64,
  'llama.embedding_length': 8,
  'llama.feed_forward_length': 4,
  'llama.attention.head_count': 2,
  'llama.attention.head_count_kv': 1,
  'llama.rope.freq_base': 100,
  'llama.rope.dimension_count': 4,
  'llama.attention.layer_norm_rms_epsilon': 1e-5,
  'llama.vocab_size': 7,
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': 'smollm',
  'tokenizer.ggml.tokens': ['<|endoftext|>', '<|im_start|>', '<|im_end|>', 'a', 'b', '1', 'ab'],
  'tokenizer.ggml.token_type': [3, 3, 3, 1, 1, 1, 1],
  'tokenizer.ggml.merges': ['a b'],
  'tokenizer.ggml.bos_token_id': 1,
  'tokenizer.ggml.eos_token_id': 2,
  'tokenizer.ggml.padding_token_id': 2,
  'tokenizer.ggml.unknown_token_id': 0,
  'tokenizer.chat_template': '{{ messages[0].content }}',
};

/** Name, shape outermost first, and values if they are not the rows' numbers. */
export type GgufTensor = [string, number[], number[]?];

export const TENSORS: GgufTensor[] = [
  ['token_embd.weight', [7, 8]],
  ['blk.0.attn_norm.weight', [8]],
  ['blk.0.attn_q.weight', [8, 8]],
  ['blk.0.attn_k.weight', [4, 8]],
  ['blk.0.attn_v.weight', [4, 8]],
  ['blk.0.attn_output.weight', [8, 8]],
  ['blk.0.ffn_norm.weight', [8]],
  ['blk.0.ffn_gate.weight', [4, 8]],
  ['blk.0.ffn_up.weight', [4, 8]],
  ['blk.0.ffn_down.weight', [8, 4]],
  ['output_norm.weight', [8]],
];

/** Of the same model as a Qwen2: its metadata, and the biases on q, k and v. */
export function qwen2GgufFile(): Buffer {
  const renamed = Object.entries(METADATA).map(([key, value]) => [key.replace(/^llama\./, 'qwen2.'), value]);
  const biases = ['q', 'k', 'v'].map((part): GgufTensor => [`blk.0.attn_${part}.bias`, [part === 'q' ? 8 : 4]]);
  const changes = { 'general.architecture': 'qwen2', 'tokenizer.ggml.pre': 'qwen2' };
  return ggufFile({ ...Object.fromEntries(renamed), ...changes }, [...TENSORS, ...biases, ['output.weight', [7, 8]]]);
}

/** A GGUF file (version 3) of a Llama model with one layer in fp32; each row of a tensor holds its own number. */
export function ggufFile(changes: Record<string, Value> = {}, tensors = TENSORS): Buffer {
  const metadata = Object.entries({ ...METADATA, ...changes });
  const header = [
    Buffer.from('GGUF'),
    uint32(3),
    uint64(tensors.length),
    uint64(metadata.length),
    ...metadata.flatMap(([key, value]) => [string(key), typed(key, value)]),
    ...tensorInfos(tensors),
  ];
  const head = Buffer.concat(header);
  const padding = Buffer.alloc((ALIGNMENT - (head.length % ALIGNMENT)) % ALIGNMENT);
  return Buffer.concat([head, padding, ...tensors.map(([, shape, values]) => data(shape, values))]);
}

function tensorInfos(tensors: GgufTensor[]): Buffer[] {
  let offset = 0;
  return tensors.map(([name, shape]) => {
    const info = [string(name), uint32(shape.length), ...shape.toReversed().map(uint64), uint32(0), uint64(offset)];
    offset += data(shape).length;
    return Buffer.concat(info);
  });
}

function data(shape: number[], given?: number[]): Buffer {
  const width = shape[1] ?? 1;
  const values = Float32Array.from({ length: shape[0]! * width }, (_, i) => given?.[i] ?? Math.floor(i / width));
  const padding = (ALIGNMENT - ((4 * values.length) % ALIGNMENT)) % ALIGNMENT;
  return Buffer.concat([Buffer.from(values.buffer), Buffer.alloc(padding)]);
}

function typed(key: string, value: Value): Buffer {
  if (Array.isArray(value)) {
    const type = typeof value[0] === 'string' ? STRING : INT32;
    const items = value.map((item) => (typeof item === 'string' ? string(item) : uint32(item)));
    return Buffer.concat([uint32(ARRAY), uint32(type), uint64(value.length), ...items]);
  }
  if (typeof value === 'string') return Buffer.concat([uint32(STRING), string(value)]);
  if (!/epsilon|freq_base|factor/.test(key)) return Buffer.concat([uint32(UINT32), uint32(value)]);
  const float = Buffer.alloc(4);
  float.writeFloatLE(value);
  return Buffer.concat([uint32(FLOAT32), float]);
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
