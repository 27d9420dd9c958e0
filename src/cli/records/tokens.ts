import { z } from 'zod';
import { readModelConfig } from '../../model/model-config.js';
import { checkCompletion } from '../../model/token-limits.js';
import { Tokenizer } from '../../model/tokenizer.js';

export const idsSchema = z.array(z.int().nonnegative()).min(1);
export const messagesSchema = z.array(z.object({ role: z.string(), content: z.string() })).min(1);

/** Text becomes ids as a model's own tokenizer makes them; it is loaded at the first text, for ids need none. */
export class RecordEncoder {
  private loaded: Tokenizer | undefined;

  private readonly limits;

  /** @throws DriftError `model-invalid` */
  constructor(private readonly modelDir: string) {
    this.limits = readModelConfig(modelDir);
  }

  private get tokenizer(): Tokenizer {
    this.loaded ??= Tokenizer.load(this.modelDir);
    return this.loaded;
  }

  /** A conversation through the chat template, up to where the assistant begins; other text as it is. */
  prompt(prompt: string | z.output<typeof messagesSchema>): number[] {
    return typeof prompt === 'string' ? this.tokenizer.encode(prompt) : this.tokenizer.encodeChat(prompt);
  }

  /** A reply, with the EOS that ends it. */
  completion(text: string): number[] {
    return this.tokenizer.encodeCompletion(text);
  }

  /** @throws DriftError `record-invalid` where the model cannot compute the ids */
  check(promptIds: readonly number[], completionIds: readonly number[]): void {
    checkCompletion(this.limits, promptIds, completionIds);
  }
}
