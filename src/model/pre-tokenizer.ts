import { z } from 'zod';

const node = z.looseObject({
  type: z.string(),
  pretokenizers: z.array(z.unknown()).optional(),
  individual_digits: z.boolean().optional(),
  use_regex: z.boolean().optional(),
});

/** GPT-2's pattern with the White_Space property instead of `\s`, which in JavaScript takes U+FEFF and leaves out U+0085. */
const GPT2_PATTERN =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\p{White_Space}\\p{L}\\p{N}]+|\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}+";

/**
 * Says the same as a tokenizer.json's `pre_tokenizer` in the words that `@huggingface/tokenizers` 0.2.0 gets right.
 * It splits ASCII digits only, where the original takes every `\p{N}`, and reads `\s` as JavaScript does.
 */
export function portablePreTokenizer(config: unknown): unknown {
  const parsed = node.safeParse(config);
  if (!parsed.success) return config;
  const { type, pretokenizers, individual_digits: individual, use_regex: useRegex } = parsed.data;
  if (type === 'Sequence') return { ...parsed.data, pretokenizers: pretokenizers?.map(portablePreTokenizer) };
  if (type === 'Digits') return split(individual ? '\\p{N}' : '\\p{N}+');
  if (type === 'ByteLevel' && useRegex !== false) {
    return { type: 'Sequence', pretokenizers: byteLevel(parsed.data) };
  }
  return config;
}

const split = (regex: string) => ({ type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false });

/** The prefix space, if any, goes in before the pattern runs. */
function byteLevel(config: z.output<typeof node>): unknown[] {
  if (config.add_prefix_space === true) return [config];
  return [split(GPT2_PATTERN), { ...config, use_regex: false }];
}
