import type { TokenIds } from '../../training/engine/training-engine.js';
import { HIDDEN, type KvCache } from './kv-cache.js';
import type { Native } from './native-session.js';
import { type PromptTrie, trieMask, triesOf } from './prompt-trie.js';
import { hiddenRows, logitsOfRows, type SamplingModel } from './sampling-layers.js';

/** Nodes of one forward pass: more would not fit the processor's caches, fewer leave its cores idle. */
const MAX_NODES = 1024;

/**
 * Computes prompts into slots of the cache, what they share once.
 * @returns logits of what follows each prompt [prompts, vocab]
 */
export function prefill(
  model: SamplingModel,
  cache: KvCache,
  prompts: readonly { promptIds: TokenIds; slot: number }[],
): Native {
  const { session } = model;
  return session.scope(() => {
    let next = 0;
    const parts = batchesOf(triesOf(prompts.map(({ promptIds }) => promptIds))).map((tries) => {
      const count = tries.reduce((sum, { paths }) => sum + paths.length, 0);
      const slots = prompts.slice(next, next + count).map(({ slot }) => slot);
      next += count;
      return session.scope(() => prefillTries(model, cache, tries, slots));
    });
    return session.concat(parts, 0);
  });
}

/** Neighbours together while they stay within the limit; a larger one goes alone. */
function batchesOf(tries: readonly PromptTrie[]): PromptTrie[][] {
  const batches: PromptTrie[][] = [];
  let room = 0;
  for (const trie of tries) {
    if (trie.ids.length > room) {
      batches.push([]);
      room = MAX_NODES;
    }
    batches.at(-1)!.push(trie);
    room -= trie.ids.length;
  }
  return batches;
}

function prefillTries(
  model: SamplingModel,
  cache: KvCache,
  tries: readonly PromptTrie[],
  slots: readonly number[],
): Native {
  const { session } = model;
  const segments = segmentsOf(model, tries);
  const paths = tries.flatMap((trie, i) => trie.paths.map((path) => path.map((node) => segments[i]!.start + node)));
  const tokens = paths.flatMap((path, i) => path.map((_, position) => ({ slot: slots[i]!, position })));
  const places = cache.places(tokens);
  const nodes = paths.flat();
  const rows = tries.reduce((sum, { ids }) => sum + ids.length, 0);
  // Without anything shared, the rows are in the order of the paths already.
  const order = nodes.length === rows ? null : session.ints(Int32Array.from(nodes));
  const ordered = (x: Native) => (order === null ? x : session.gather(x, order));
  const hidden = hiddenRows(
    model,
    tries.flatMap(({ ids }) => ids),
    tries.flatMap(({ positions }) => positions),
    (q, k, v, layer) => {
      cache.write(layer, ordered(k), ordered(v), places);
      return attendSegments(model, q, k, v, segments);
    },
  );
  const last = paths.map((path) => path.at(-1)!);
  return logitsOfRows(model, session.gather(hidden, session.ints(Int32Array.from(last))));
}

/** Rows that attend to each other as the mask [length, length] says. */
interface Segment {
  start: number;
  length: number;
  mask: Native;
}

function segmentsOf({ session }: SamplingModel, tries: readonly PromptTrie[]): Segment[] {
  const chains = new Map<number, Native>();
  let start = 0;
  return tries.map((trie) => {
    const length = trie.ids.length;
    const chain = trie.parents.every((parent, node) => parent === node - 1);
    let mask = chain ? chains.get(length) : undefined;
    mask ??= session.floats(trieMask(trie, HIDDEN), [length, length]);
    if (chain) chains.set(length, mask);
    start += length;
    return { start: start - length, length, mask };
  });
}

function attendSegments(
  { session, config }: SamplingModel,
  q: Native,
  k: Native,
  v: Native,
  segments: readonly Segment[],
): Native {
  const { heads, kvHeads, headDim } = config;
  const byHead = (x: Native) => session.transpose(x, [1, 0, 2]);
  const outputs = segments.map(({ start, length, mask }) => {
    return session.scope(() => {
      const part = (x: Native) => byHead(session.rows(x, start, length));
      const queries = session.reshape(part(q), [kvHeads, -1, headDim]);
      const scores = session.batchMatMul(queries, part(k), { transposeB: true });
      const masked = session.add(session.reshape(scores, [heads, length, length]), mask);
      const shares = session.reshape(session.call('Softmax', [masked]), [kvHeads, -1, length]);
      const attended = session.reshape(session.batchMatMul(shares, part(v)), [heads, length, headDim]);
      return session.reshape(byHead(attended), [length, -1]);
    });
  });
  return session.concat(outputs, 0);
}
