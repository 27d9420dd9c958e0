import { mix } from '../../dsat/text.js';
import { groupBy } from '../../group-by.js';
import { BAND_ROWS, similarityOf } from './min-hash.js';

/**
 * Numbers of the groups of near-duplicates that signatures fall into: equal for two that are alike, or that others like
 * both connect. Only what meets in a band of the signature is compared (locality-sensitive hashing), and in a band only
 * with the first of each kind, so that a flood of copies costs no more than as many other texts.
 */
export function groupNearDuplicates(signatures: readonly Int32Array[], alike: number): Int32Array {
  const groups = Int32Array.from(signatures, (_, index) => index);
  for (let band = 0; band < (signatures[0]?.length ?? 0) / BAND_ROWS; band++) {
    for (const bucket of bucketsOf(signatures, band)) joinAlike(signatures, bucket, alike, groups);
  }
  return groups.map((_, index) => rootOf(groups, index));
}

function bucketsOf(signatures: readonly Int32Array[], band: number): number[][] {
  const buckets = groupBy(signatures.keys(), (index) => {
    let key = band;
    for (let row = 0; row < BAND_ROWS; row++) key = mix(key, signatures[index]![band * BAND_ROWS + row]!);
    return key;
  });
  return [...buckets.values()].filter(({ length }) => length > 1);
}

function joinAlike(signatures: readonly Int32Array[], bucket: number[], alike: number, groups: Int32Array): void {
  const firsts: number[] = [];
  for (const index of bucket) {
    const first = firsts.find((other) => similarityOf(signatures[index]!, signatures[other]!) >= alike);
    if (first === undefined) firsts.push(index);
    else join(groups, index, first);
  }
}

/** The smallest index of a group is its number. */
function join(groups: Int32Array, a: number, b: number): void {
  const [first, second] = [rootOf(groups, a), rootOf(groups, b)];
  groups[Math.max(first, second)] = Math.min(first, second);
}

function rootOf(groups: Int32Array, index: number): number {
  let root = index;
  while (groups[root] !== root) root = groups[root]!;
  for (let at = index; at !== root; ) [groups[at], at] = [root, groups[at]!];
  return root;
}
