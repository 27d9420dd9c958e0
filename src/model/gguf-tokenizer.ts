import { z } from 'zod';
import { DriftError } from '../drift-error.js';
import type { GgufMetadata } from './gguf-file.js';

const schema = z.object({
  'tokenizer.ggml.model': z.literal('gpt2'),
  // 'smollm': every digit alone, then GPT-2's pattern.
  'tokenizer.ggml.pre': z.literal('smollm'),
  'tokenizer.ggml.tokens': z.array(z.string()),
  'tokenizer.ggml.token_type': z.array(z.int()),
  'tokenizer.ggml.merges': z.array(z.string()),
  'tokenizer.ggml.bos_token_id': z.int(),
  'tokenizer.ggml.eos_token_id': z.int(),
  'tokenizer.ggml.padding_token_id': z.int(),
  'tokenizer.ggml.unknown_token_id': z.int(),
  'tokenizer.chat_template': z.string(),
});

/** llama.cpp's token types: control tokens are special, user-defined ones only atomic. */
const CONTROL = 3;
const USER_DEFINED = 4;

/** The contents of the tokenizer files of a Hugging Face directory, by file name. */
export interface TokenizerFiles {
  'tokenizer.json': unknown;
  'tokenizer_config.json': unknown;
  'chat_template.jinja': string;
}

/** @throws DriftError `model-invalid` for another vocabulary or pre-tokenizer than the default model's kind. */
export function tokenizerFiles(metadata: GgufMetadata, maxLength: number): TokenizerFiles {
  const parsed = schema.safeParse(metadata);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new DriftError('model-invalid', `The GGUF file's tokenizer cannot be converted: ${problems.join('; ')}`);
  }
  return {
    'tokenizer.json': tokenizerJson(parsed.data),
    'tokenizer_config.json': tokenizerConfig(parsed.data, maxLength),
    'chat_template.jinja': parsed.data['tokenizer.chat_template'],
  };
}

function tokenizerJson(data: z.output<typeof schema>): unknown {
  const tokens = data['tokenizer.ggml.tokens'];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(tokens, data['tokenizer.ggml.token_type']),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Digits', individual_digits: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
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
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: data['tokenizer.ggml.merges'],
    },
  };
}

function addedTokens(tokens: string[], types: number[]): unknown[] {
  return tokens.flatMap((content, id) => {
    if (types[id] !== CONTROL && types[id] !== USER_DEFINED) return [];
    const special = types[id] === CONTROL;
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

function tokenizerConfig(data: z.output<typeof schema>, maxLength: number): unknown {
  const token = (id: number) => data['tokenizer.ggml.tokens'][id];
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
