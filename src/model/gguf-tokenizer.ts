import { z } from 'zod';
import { DriftError } from '../drift-error.js';
import type { GgufMetadata } from './gguf-file.js';

/** What splits a text before merges, by llama.cpp's name for it. */
const PRE_TOKENIZERS = ['smollm', 'gpt-2', 'llama-bpe', 'qwen2'] as const;

const schema = z.object({
  'tokenizer.ggml.model': z.literal('gpt2'),
  'tokenizer.ggml.pre': z.enum(PRE_TOKENIZERS),
  'tokenizer.ggml.tokens': z.array(z.string()),
  'tokenizer.ggml.token_type': z.array(z.int()),
  'tokenizer.ggml.merges': z.array(z.string()),
  'tokenizer.ggml.bos_token_id': z.int().optional(),
  'tokenizer.ggml.eos_token_id': z.int(),
  'tokenizer.ggml.padding_token_id': z.int().optional(),
  'tokenizer.ggml.unknown_token_id': z.int().optional(),
  'tokenizer.chat_template': z.string().optional(),
});

/** llama.cpp's token types: control tokens are special, user-defined ones only atomic. */
const CONTROL = 3;
const USER_DEFINED = 4;

/** The contents of the tokenizer files of a Hugging Face directory, by file name. */
export interface TokenizerFiles {
  'tokenizer.json': unknown;
  'tokenizer_config.json': unknown;
  'chat_template.jinja'?: string;
}

/** @throws DriftError `model-invalid` for another vocabulary than byte-level BPE, or an unknown pre-tokenizer */
export function tokenizerFiles(metadata: GgufMetadata, maxLength: number): TokenizerFiles {
  const parsed = schema.safeParse(metadata);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new DriftError('model-invalid', `The GGUF file's tokenizer cannot be converted: ${problems.join('; ')}`);
  }
  const template = parsed.data['tokenizer.chat_template'];
  return {
    'tokenizer.json': tokenizerJson(parsed.data),
    'tokenizer_config.json': tokenizerConfig(parsed.data, maxLength),
    ...(template === undefined ? {} : { 'chat_template.jinja': template }),
  };
}

function tokenizerJson(data: z.output<typeof schema>): unknown {
  const tokens = data['tokenizer.ggml.tokens'];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(tokens, data['tokenizer.ggml.token_type']),
    normalizer: data['tokenizer.ggml.pre'] === 'qwen2' ? { type: 'NFC' } : null,
    pre_tokenizer: preTokenizer(data['tokenizer.ggml.pre']),
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: data['tokenizer.ggml.pre'] === 'llama-bpe',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: data['tokenizer.ggml.merges'],
    },
  };
}

/** As the models' own tokenizer.json have it. */
function preTokenizer(kind: (typeof PRE_TOKENIZERS)[number]): unknown {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  if (kind === 'gpt-2') return byteLevel;
  const digits = { type: 'Digits', individual_digits: true };
  if (kind === 'smollm') return { type: 'Sequence', pretokenizers: [digits, byteLevel] };
  const numbers = kind === 'llama-bpe' ? '\\p{N}{1,3}' : '\\p{N}';
  const Regex = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
  const split = { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
  return { type: 'Sequence', pretokenizers: [split, { ...byteLevel, use_regex: false }] };
}

function addedTokens(tokens: string[], types: number[]): unknown[] {
  return tokens.flatMap((content, id) => {
    if (types[id] !== CONTROL && types[id] !== USER_DEFINED) return [];
    const special = types[id] === CONTROL;
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

function tokenizerConfig(data: z.output<typeof schema>, maxLength: number): unknown {
  const token = (id: number | undefined) => (id === undefined ? undefined : data['tokenizer.ggml.tokens'][id]);
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    add_prefix_space: false,
    clean_up_tokenization_spaces: false,
    model_max_length: maxLength,
    bos_token: token(data['tokenizer.ggml.bos_token_id']),
    eos_token: token(data['tokenizer.ggml.eos_token_id']),
    pad_token: token(data['tokenizer.ggml.padding_token_id']),
    unk_token: token(data['tokenizer.ggml.unknown_token_id']),
  };
}
