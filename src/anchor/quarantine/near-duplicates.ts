import { groupBy } from '../../group-by.js';

/** Characters of a shingle: words that are inserted or changed leave most of them as they are. */
const SHINGLE = 4;
/** Texts are alike when they share this much of their shingles (Jaccard). */
const ALIKE = 0.75;
/** MinHash with locality-sensitive hashing: at 0.75 in common two texts meet in one of the bands with probability 0.95. */
const BANDS = 8;
const ROWS = 4;

/**
 * Groups of texts that are nearly the same, as indexes: the connected parts of what is alike. Depends on the texts alone,
 * not on their order.
 */
export function nearDuplicates(texts: readonly string[]): number[][] {
  const shingles = texts.map(shinglesOf);
  const parent = texts.map((_, index) => index);
  const root = (index: number): number => {
    while (parent[index] !== index) index = parent[index] = parent[parent[index]!]!;
    return index;
  };
  for (const bucket of bucketsOf(shingles)) {
    for (const [at, index] of bucket.entries()) {
      for (let before = 0; before < at; before++) {
        const other = bucket[before]!;
        if (root(other) !== root(index) && alike(shingles[other]!, shingles[index]!)) parent[root(index)] = root(other);
      }
    }
  }
  const groups = groupBy(texts.keys(), root);
  return [...groups.values()].filter((group) => group.length > 1);
}

function shinglesOf(text: string): Set<number> {
  const plain = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
  const shingles = new Set<number>();
  for (let at = 0; at + SHINGLE <= plain.length; at++) shingles.add(fnv1a(plain, at, at + SHINGLE));
  return shingles;
}

function fnv1a(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

function* bucketsOf(shingles: readonly Set<number>[]): Generator<number[]> {
  const signatures = shingles.map(signatureOf);
  for (let band = 0; band < BANDS; band++) {
    const buckets = groupBy(signatures.keys(), (index) =>
      signatures[index]!.slice(band * ROWS, (band + 1) * ROWS).join(),
    );
    for (const bucket of buckets.values()) if (bucket.length > 1) yield bucket;
  }
}

/** The smallest of the shingles under each of `BANDS x ROWS` orders. */
function signatureOf(shingles: Set<number>): number[] {
  const signature = new Array<number>(BANDS * ROWS).fill(0xffffffff);
  for (const shingle of shingles) {
    for (let order = 0; order < signature.length; order++) {
      const hash = mix(shingle ^ Math.imul(order + 1, 0x9e3779b1));
      if (hash < signature[order]!) signature[order] = hash;
    }
  }
  return signature;
}

/** The finalizer of MurmurHash3. */
function mix(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

function alike(a: Set<number>, b: Set<number>): boolean {
  let common = 0;
  for (const shingle of a) if (b.has(shingle)) common++;
  return common >= ALIKE * (a.size + b.size - common);
}
