/** What a classifier reads of a long text: its head and its tail, in UTF-16 units. */
export interface ReadLimit {
  head: number;
  tail: number;
}

/** The text within the limit, lower case; linear in the limit, whatever the length of the text. */
export function readable(text: string, { head, tail }: ReadLimit): string {
  const within = text.length <= head + tail ? text : `${text.slice(0, head)}\n${text.slice(text.length - tail)}`;
  return within.toLowerCase();
}

const HASH_SEED = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

/** FNV-1a over UTF-16 units: lone surrogates and any script are numbers like others. */
export function hashText(text: string, seed = HASH_SEED): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), HASH_PRIME);
  return hash;
}

/** Joins hashes into one; the order matters. */
export function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ (b >>> 15), 0x85ebca6b) ^ b;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

const SPACE = 0;
const WORD = 1;
const IDEOGRAM = 2;
const MARK = 3;

/** Of units under 0x80; above, see `kindOf`. */
const ASCII_KINDS = Uint8Array.from({ length: 0x80 }, (_, unit) => {
  if (unit <= 0x20 || unit === 0x7f) return SPACE;
  return /[0-9a-zA-Z'_]/.test(String.fromCharCode(unit)) ? WORD : MARK;
});

function kindOf(unit: number): number {
  if (unit < 0x80) return ASCII_KINDS[unit]!;
  if (unit >= 0x2000 && unit <= 0x206f) return unit === 0x2019 ? WORD : unit <= 0x200b ? SPACE : MARK;
  if (unit >= 0x2e80 && unit <= 0x9fff) return IDEOGRAM;
  if (unit >= 0xd800 && unit <= 0xdfff) return IDEOGRAM;
  return unit === 0xa0 ? SPACE : WORD;
}

/**
 * Hashes of a text's tokens, in order: words, single ideograms (and halves of what lies outside the basic plane),
 * and marks, where a run of one mark counts as one token. One pass, no regular expression.
 */
export function tokenHashes(text: string): number[] {
  const tokens: number[] = [];
  let hash = HASH_SEED;
  let inWord = false;
  let last = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    const kind = kindOf(unit);
    if (kind === WORD) {
      // The typographic apostrophe is the plain one.
      hash = Math.imul(hash ^ (unit === 0x2019 ? 0x27 : unit), HASH_PRIME);
      inWord = true;
    } else {
      if (inWord) tokens.push(hash);
      if (kind === IDEOGRAM || (kind === MARK && unit !== last)) {
        tokens.push(Math.imul(HASH_SEED ^ unit, HASH_PRIME));
      }
      hash = HASH_SEED;
      inWord = false;
    }
    last = unit;
  }
  if (inWord) tokens.push(hash);
  return tokens;
}
