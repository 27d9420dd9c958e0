import type { FinishReason } from '../engine/training-engine.js';
import { compareLanguages } from './language.js';

export const REFUSALS = ['empty', 'no-eos', 'near-copy', 'length-ratio', 'language'] as const;
export type Refusal = (typeof REFUSALS)[number];

export interface Candidate {
  text: string;
  /** Tokens without EOS. */
  tokens: number;
  finish: FinishReason;
}

/** What a candidate is compared with. */
export interface Expected {
  /** The rejected reply, cut to the budget that the candidate had. */
  text: string;
  tokens: number;
  /** Request and feedback: a user who complains of the reply's language wants another. */
  asked: string;
}

/** Share of word triples in common (Jaccard) from which on a text is the other one with a few words changed. */
const NEAR_COPY = 0.7;
const LENGTH_RATIO = 8;
/** Short replies may differ by this many tokens more than the ratio allows. */
const LENGTH_SLACK = 64;

/** Why a sample cannot be the chosen of a pair; null when it can. `allowUnfinished` keeps those that were cut off. */
export function refusalOf(candidate: Candidate, expected: Expected, allowUnfinished: boolean): Refusal | null {
  if (candidate.text.trim() === '') return 'empty';
  if (candidate.finish === 'length' && !allowUnfinished) return 'no-eos';
  if (similarity(candidate.text, expected.text) >= NEAR_COPY) return 'near-copy';
  if (!isSaneLength(candidate.tokens, expected.tokens)) return 'length-ratio';
  return isForeign(candidate, expected) ? 'language' : null;
}

function isForeign({ text }: Candidate, expected: Expected): boolean {
  const compared = [expected.text, expected.asked].map((other) => compareLanguages(text, other));
  return compared.includes('different') && !compared.includes('same');
}

function isSaneLength(a: number, b: number): boolean {
  return Math.max(a, b) <= Math.min(a, b) * LENGTH_RATIO + LENGTH_SLACK;
}

/** Jaccard similarity of the word triples of two texts, 0 to 1; of the words of texts that have no triple. */
export function similarity(a: string, b: string): number {
  const [left, right] = [words(a), words(b)];
  const size = Math.max(1, Math.min(3, left.length, right.length));
  const [first, second] = [grams(left, size), grams(right, size)];
  const common = [...first].filter((gram) => second.has(gram)).length;
  const union = first.size + second.size - common;
  return union === 0 ? 1 : common / union;
}

const words = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];

function grams(list: readonly string[], size: number): Set<string> {
  const starts = Math.max(0, list.length - size + 1);
  return new Set(Array.from({ length: starts }, (_, start) => list.slice(start, start + size).join(' ')));
}
