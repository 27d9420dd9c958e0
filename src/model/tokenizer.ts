import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from '@huggingface/jinja';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { DriftError } from '../drift-error.js';
import { readEosIds } from './eos-ids.js';
import { readJson } from './json-file.js';
import { portablePreTokenizer } from './pre-tokenizer.js';

export interface ChatMessage {
  role: string;
  content: string;
}

const token = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform((added) => added.content)])
  .nullish();
const tokenizerSchema = z.looseObject({
  model: z.looseObject({ vocab: z.unknown() }),
  pre_tokenizer: z.unknown(),
  added_tokens: z.array(z.looseObject({})).default([]),
});
const configSchema = z.looseObject({
  bos_token: token,
  eos_token: token,
  pad_token: token,
  unk_token: token,
  chat_template: z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]).nullish(),
});

/** Text to token ids and back, as the model directory's `tokenizer.json` and chat template say. */
export class Tokenizer {
  private constructor(
    private readonly inner: HuggingFaceTokenizer,
    private readonly specialTokens: Record<string, string>,
    private readonly template: Template | null,
    /** Ids that end a reply, the one that is appended to text completions first. */
    readonly eosIds: readonly number[],
  ) {}

  /** @throws DriftError `model-invalid` when a file is missing or says nothing usable. */
  static load(dir: string): Tokenizer {
    const tokenizer = readJson(join(dir, 'tokenizer.json'), tokenizerSchema);
    const config = readJson(join(dir, 'tokenizer_config.json'), configSchema);
    tokenizer.pre_tokenizer = portablePreTokenizer(tokenizer.pre_tokenizer);
    // Transformers 5 never cleans up spaces of byte-level tokenizers; the library would by default.
    const inner = new HuggingFaceTokenizer(tokenizer, { ...config, clean_up_tokenization_spaces: false });
    return new Tokenizer(inner, specialTokens(config), chatTemplate(dir, config.chat_template), readEosIds(dir));
  }

  /** Ids of the text, special tokens in it recognised, none added. Lone surrogates become U+FFFD. */
  encode(text: string): number[] {
    return text === '' ? [] : this.inner.encode(text.toWellFormed(), { add_special_tokens: false }).ids;
  }

  /** Ids that the vocabulary does not have (models pad theirs) are left out. */
  decode(ids: readonly number[], { skipSpecial = false }: { skipSpecial?: boolean } = {}): string {
    const known = ids.filter((id) => this.inner.id_to_token(id) !== undefined);
    return known.length === 0 ? '' : this.inner.decode(known, { skip_special_tokens: skipSpecial });
  }

  /**
   * The conversation as the model's own template writes it, by default up to where the assistant's next turn begins.
   * @throws DriftError `model-invalid` without a template, or when the template refuses the messages.
   */
  renderChat(
    messages: readonly ChatMessage[],
    { addGenerationPrompt = true }: { addGenerationPrompt?: boolean } = {},
  ): string {
    if (this.template === null) {
      throw new DriftError(
        'model-invalid',
        'The model has no chat template (chat_template.jinja): give token ids instead of messages.',
      );
    }
    try {
      return this.template.render({
        messages: [...messages],
        add_generation_prompt: addGenerationPrompt,
        ...this.specialTokens,
      });
    } catch (cause) {
      throw new DriftError('model-invalid', `The chat template refuses the messages: ${cause}`, { cause });
    }
  }

  encodeChat(messages: readonly ChatMessage[], options?: { addGenerationPrompt?: boolean }): number[] {
    return this.encode(this.renderChat(messages, options));
  }

  /** Ids of a reply given as text: with the EOS that ends it. */
  encodeCompletion(text: string): number[] {
    return [...this.encode(text), this.eosIds[0]!];
  }
}

function specialTokens(config: z.output<typeof configSchema>): Record<string, string> {
  const { bos_token, eos_token, pad_token, unk_token } = config;
  const given = Object.entries({ bos_token, eos_token, pad_token, unk_token });
  return Object.fromEntries(given.flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

function chatTemplate(dir: string, configured: z.output<typeof configSchema>['chat_template']): Template | null {
  const file = join(dir, 'chat_template.jinja');
  const named = Array.isArray(configured) ? configured.find(({ name }) => name === 'default')?.template : configured;
  const source = existsSync(file) ? readFileSync(file, 'utf8') : named;
  return source ? new Template(source) : null;
}
