import type { TokenIds } from '../../training/engine/training-engine.js';
import { HIDDEN, type KvCache } from './kv-cache.js';
import { MAX_NODES, STRETCH } from './limits.js';
import type { Native, NativeSession } from './native-session.js';
import { type PromptTrie, trieMask, triesOf } from './prompt-trie.js';
import { hiddenRows, logitsOfRows, type SamplingModel } from './sampling-layers.js';

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

/** Rows of a trie, some queries after the other. */
interface Segment {
  start: number;
  stretches: Stretch[];
}

/** Queries from one place of a trie to another, and the mask [to - from, to] of what they see up to there. */
interface Stretch {
  from: number;
  to: number;
  mask(): Native;
}

function segmentsOf({ session }: SamplingModel, tries: readonly PromptTrie[]): Segment[] {
  const chains = new Map<number, Native>();
  let start = 0;
  return tries.map((trie) => {
    const length = trie.ids.length;
    start += length;
    if (length > STRETCH) return { start: start - length, stretches: longStretches(session, trie) };
    const chain = trie.parents.every((parent, node) => parent === node - 1);
    let mask = chain ? chains.get(length) : undefined;
    mask ??= session.floats(trieMask(trie, HIDDEN), [length, length]);
    if (chain) chains.set(length, mask);
    const found = mask;
    return { start: start - length, stretches: [{ from: 0, to: length, mask: () => found }] };
  });
}

/** Their masks are made anew in each layer: kept, they would take half the square of the prompt. */
function longStretches(session: NativeSession, trie: PromptTrie): Stretch[] {
  const length = trie.ids.length;
  return Array.from({ length: Math.ceil(length / STRETCH) }, (_, i) => {
    const [from, to] = [i * STRETCH, Math.min(length, (i + 1) * STRETCH)];
    return { from, to, mask: () => session.floats(trieMask(trie, HIDDEN, from, to), [to - from, to]) };
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
  const byHead = (x: Native, start: number, length: number) =>
    session.transpose(session.rows(x, start, length), [1, 0, 2]);
  const attend = (start: number, { from, to, mask }: Stretch) =>
    session.scope(() => {
      const length = to - from;
      const queries = session.reshape(byHead(q, start + from, length), [kvHeads, -1, headDim]);
      const scores = session.batchMatMul(queries, byHead(k, start, to), { transposeB: true });
      const masked = session.add(session.reshape(scores, [heads, length, to]), mask());
      const shares = session.reshape(session.call('Softmax', [masked]), [kvHeads, -1, to]);
      const attended = session.reshape(session.batchMatMul(shares, byHead(v, start, to)), [heads, length, headDim]);
      return session.reshape(session.transpose(attended, [1, 0, 2]), [length, -1]);
    });
  const outputs = segments.flatMap(({ start, stretches }) => stretches.map((stretch) => attend(start, stretch)));
  return session.concat(outputs, 0);
}
