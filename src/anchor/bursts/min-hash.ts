import { mix, tokenHashes } from '../../dsat/text.js';

/** Values of a signature, and how they are cut into bands: two texts meet in one with a probability of 1 - (1 - s^4)^24. */
const HASHES = 96;
export const BAND_ROWS = 4;

const SEEDS = Int32Array.from({ length: HASHES }, (_, index) => mix(index + 1, 0x9e3779b9));

/** Hashes of the words of a text, without case and punctuation. */
export function wordsOf(text: string): number[] {
  return tokenHashes(text.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, ' '));
}

/**
 * The MinHash signature of the single words and pairs of neighbours of a text: two of them agree in as large a part of
 * their values as the sets have in common (Jaccard; standard error 0.05).
 */
export function signatureOf(words: readonly number[]): Int32Array {
  const least = new Int32Array(HASHES).fill(0x7fff_ffff);
  for (const shingle of shinglesOf(words)) {
    for (let at = 0; at < HASHES; at++) {
      const hash = mix(shingle, SEEDS[at]!);
      if (hash < least[at]!) least[at] = hash;
    }
  }
  return least;
}

function shinglesOf(words: readonly number[]): Set<number> {
  const shingles = new Set(words);
  for (let at = 1; at < words.length; at++) shingles.add(mix(words[at - 1]!, words[at]!));
  return shingles;
}

/** Estimated Jaccard similarity, 0 to 1. */
export function similarityOf(a: Int32Array, b: Int32Array): number {
  let equal = 0;
  for (let at = 0; at < HASHES; at++) if (a[at] === b[at]) equal++;
  return equal / HASHES;
}
