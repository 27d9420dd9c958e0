import type { TokenIds } from '../../training/engine/training-engine.js';

/** Prompts laid out so that what they share is computed once; a node is a token after those before it. */
export interface PromptTrie {
  /** Token and place in its prompts, by node; a node comes after the one before it in the prompt. */
  ids: number[];
  positions: number[];
  /** Node before it; -1 at the start. */
  parents: number[];
  /** Nodes of each prompt. */
  paths: number[][];
}

/** Attention within a trie grows with the square of its nodes: joined tries stay below. */
const MOST_SHARED_NODES = 1024;
/** A prompt joins a trie when so much of it is there already. */
const FEWEST_SHARED = 0.5;

/** Indices of the prompts, longest first, those that share a beginning side by side. */
export function orderForSharing(prompts: readonly TokenIds[]): number[] {
  const sorted = [...prompts.keys()].sort((a, b) => compare(prompts[a]!, prompts[b]!));
  const groups: number[][] = [];
  for (const index of sorted) {
    const last = groups.at(-1)?.at(-1);
    if (last !== undefined && shares(prompts[last]!, prompts[index]!)) groups.at(-1)!.push(index);
    else groups.push([index]);
  }
  const longest = (group: number[]) => Math.max(...group.map((index) => prompts[index]!.length));
  return groups.sort((a, b) => longest(b) - longest(a)).flat();
}

/** Tries of prompts in the order given: a prompt joins that of its neighbour where most of it is there. */
export function triesOf(prompts: readonly TokenIds[]): PromptTrie[] {
  const tries: PromptTrie[] = [];
  for (const [index, prompt] of prompts.entries()) {
    const last = tries.at(-1);
    const before = prompts[index - 1];
    const grown = last && last.ids.length + prompt.length - sharedLength(before!, prompt);
    if (last && shares(before!, prompt) && grown! <= Math.max(MOST_SHARED_NODES, last.ids.length)) add(last, prompt);
    else tries.push(add({ ids: [], positions: [], parents: [], paths: [] }, prompt));
  }
  return tries;
}

/** In lexicographic order, what a prompt shares with any before it, it shares with the last. */
function add(trie: PromptTrie, prompt: TokenIds): PromptTrie {
  const before = trie.paths.at(-1) ?? [];
  const known = before.map((node) => trie.ids[node]!);
  const path = before.slice(0, sharedLength(known, prompt));
  for (let position = path.length; position < prompt.length; position++) {
    trie.parents.push(path.at(-1) ?? -1);
    trie.positions.push(position);
    path.push(trie.ids.push(prompt[position]!) - 1);
  }
  trie.paths.push(path);
  return trie;
}

/** Additive mask [to - from, to] of some nodes: each sees itself and what is before it in its prompts. */
export function trieMask({ parents }: PromptTrie, hidden: number, from = 0, to = parents.length): Float32Array {
  const mask = new Float32Array((to - from) * to).fill(hidden);
  for (let node = from; node < to; node++) {
    const row = (node - from) * to;
    const parent = parents[node]!;
    if (parent >= from) mask.copyWithin(row, (parent - from) * to, (parent - from) * to + parent + 1);
    else for (let seen = parent; seen >= 0; seen = parents[seen]!) mask[row + seen] = 0;
    mask[row + node] = 0;
  }
  return mask;
}

function shares(a: TokenIds, b: TokenIds): boolean {
  return sharedLength(a, b) >= FEWEST_SHARED * b.length;
}

function sharedLength(a: TokenIds, b: TokenIds): number {
  const length = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < length && a[shared] === b[shared]) shared++;
  return shared;
}

function compare(a: TokenIds, b: TokenIds): number {
  const shared = sharedLength(a, b);
  return (a[shared] ?? -1) - (b[shared] ?? -1);
}
