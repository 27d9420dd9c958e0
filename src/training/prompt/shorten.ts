import type { Tokenizer } from '../../model/tokenizer.js';

export type PromptTokenizer = Pick<Tokenizer, 'encode' | 'decode' | 'encodeChat' | 'eosIds'>;

const GAP = '\n[…]\n';

/** The head and the tail of a text, together at most `budget` tokens (before they are joined and encoded again). */
export function headAndTail(tokenizer: PromptTokenizer, text: string, budget: number): string {
  const ids = tokenizer.encode(text);
  if (ids.length <= budget) return text;
  const kept = Math.max(0, budget - tokenizer.encode(GAP).length);
  const head = ids.slice(0, Math.ceil(kept / 2));
  const tail = ids.slice(ids.length - Math.floor(kept / 2));
  return `${clean(tokenizer.decode(head))}${GAP}${clean(tokenizer.decode(tail))}`;
}

/** A cut between the bytes of one character leaves replacement characters at the end. */
const clean = (text: string) => text.replace(/^\uFFFD+|\uFFFD+$/g, '');

/** Whether the text holds what the model reads as the border of a turn, which would let a user write other roles' turns. */
export function hasSpecialTokens(tokenizer: PromptTokenizer, text: string): boolean {
  const ids = tokenizer.encode(text);
  return tokenizer.decode(ids) !== tokenizer.decode(ids, { skipSpecial: true });
}
