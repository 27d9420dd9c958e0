import type { Sample, SampleRequest, SampleSettings, TokenIds } from '../training/engine/training-engine.js';
import { attend } from './attention.js';
import type { Decoder } from './decoder-layer.js';
import { logitsOf } from './head.js';
import { KvCache } from './kv-cache.js';
import { disposeBatch, pack, splitByTokens } from './packing.js';
import { seededRandom } from './random.js';
import { sampleToken } from './sample-token.js';
import { type Tensor, tf } from './tf.js';
import { hiddenStates } from './transformer.js';

const MAX_ROWS = 32;
/** Prompt tokens of one forward pass. */
const PREFILL_TOKENS = 2048;
/** Of keys and values, for one batch. */
const MAX_CACHE_BYTES = 2 ** 31;
/** A cache is copied without its finished sequences when so many of them are done. */
const DONE_SHARE = 0.25;

/** A sequence that is being written. */
interface Draft {
  request: SampleRequest;
  random: () => number;
  ids: number[];
  finish: Sample['finish'] | null;
}

/**
 * Samples a completion for each request, in their order. Each draws from its own seed, so that its completion does not
 * depend on the others (but for rounding, where two tokens are equally likely to the last digits).
 */
export async function generate(
  decoder: Decoder,
  requests: readonly SampleRequest[],
  settings: SampleSettings,
  eosIds: readonly number[],
  onProgress?: (done: number) => void,
): Promise<Sample[]> {
  const drafts = requests.map((request) => ({ request, random: seededRandom(request.seed), ids: [], finish: null }));
  let finished = 0;
  for (const batch of batchesOf(decoder, drafts, settings.maxNewTokens)) {
    await generateBatch(decoder, batch, settings, eosIds, () => onProgress?.(++finished));
  }
  return drafts.map(({ ids, finish }: Draft) => ({ ids, finish: finish ?? 'length' }));
}

/** Drafts of like prompt length together, as many as the cache may hold. */
function batchesOf(decoder: Decoder, drafts: readonly Draft[], maxNewTokens: number): Draft[][] {
  const { layers, kvHeads, headDim } = decoder.config;
  const bytesPerToken = layers * kvHeads * headDim * 2 * 4;
  const byLength = [...drafts].sort((a, b) => b.request.promptIds.length - a.request.promptIds.length);
  const batches: Draft[][] = [];
  while (byLength.length > 0) {
    const rowBytes = (byLength[0]!.request.promptIds.length + maxNewTokens) * bytesPerToken;
    batches.push(byLength.splice(0, Math.max(1, Math.min(MAX_ROWS, Math.floor(MAX_CACHE_BYTES / rowBytes)))));
  }
  return batches;
}

async function generateBatch(
  decoder: Decoder,
  batch: readonly Draft[],
  settings: SampleSettings,
  eosIds: readonly number[],
  onFinish: () => void,
): Promise<void> {
  const { cache, logits } = prefill(
    decoder,
    batch.map(({ request }) => request.promptIds),
  );
  let active = [...batch];
  let next = logits;
  while (true) {
    await takeTokens(active, next, settings, eosIds, onFinish);
    const going = active.filter(({ finish }) => finish === null);
    if (going.length === 0) break;
    if (going.length <= active.length * (1 - DONE_SHARE)) {
      cache.keepRows(going.map((draft) => active.indexOf(draft)));
      active = going;
    }
    next = decode(decoder, active, cache);
  }
  cache.dispose();
}

/** Draws each draft's next token from its row of logits [drafts, vocab], which it disposes. */
async function takeTokens(
  drafts: readonly Draft[],
  logits: Tensor,
  settings: SampleSettings,
  eosIds: readonly number[],
  onFinish: () => void,
): Promise<void> {
  const values = await logits.data<'float32'>();
  const vocab = logits.shape[1]!;
  logits.dispose();
  for (const [row, draft] of drafts.entries()) {
    if (draft.finish !== null) continue;
    const id = sampleToken(values.subarray(row * vocab, (row + 1) * vocab), settings, draft.random());
    draft.ids.push(id);
    if (eosIds.includes(id)) draft.finish = 'eos';
    else if (draft.ids.length >= settings.maxNewTokens) draft.finish = 'length';
    if (draft.finish !== null) onFinish();
  }
}

/** One token on, for every draft: logits [drafts, vocab]. */
function decode(decoder: Decoder, drafts: readonly Draft[], cache: KvCache): Tensor {
  const logits = tf.tidy(() => {
    const ids = drafts.map((draft) => draft.ids.at(-1)!);
    const positions = drafts.map((draft) => draft.request.promptIds.length + draft.ids.length - 1);
    return logitsOf(
      decoder,
      hiddenStates(decoder, { ids, positions }, (q, k, v, layer) => cache.attend(q, k, v, layer)),
    );
  });
  cache.advance();
  return logits;
}

/** Computes the prompts: their cache, and the logits of what follows each [prompts, vocab]. */
function prefill(decoder: Decoder, prompts: readonly TokenIds[]): { cache: KvCache; logits: Tensor } {
  const keys: Tensor[][] = Array.from({ length: decoder.config.layers }, () => []);
  const values: Tensor[][] = Array.from({ length: decoder.config.layers }, () => []);
  const trees = prompts.map((promptIds) => ({ promptIds, completions: [] }));
  const logits = splitByTokens(trees, PREFILL_TOKENS).map((part) => prefillPart(decoder, part, keys, values));
  const cache = new KvCache(prompts.map(({ length }) => length));
  for (const [layer, layerKeys] of keys.entries()) {
    cache.addPrompts(layerKeys, values[layer]!);
    tf.dispose([layerKeys, values[layer]!]);
  }
  const joined = tf.concat(logits, 0);
  tf.dispose(logits);
  return { cache, logits: joined };
}

function prefillPart(
  decoder: Decoder,
  prompts: Parameters<typeof pack>[0],
  keys: Tensor[][],
  values: Tensor[][],
): Tensor {
  const batch = pack(prompts);
  const logits = tf.tidy(() => {
    const hidden = hiddenStates(decoder, batch, (q, k, v, layer) => {
      const { output, states } = attend(q, k, v, batch.segments);
      keys[layer]!.push(...states.map((state) => tf.keep(state.keys)));
      values[layer]!.push(...states.map((state) => tf.keep(state.values)));
      return output;
    });
    const lastRows = batch.segments.map(({ start, length }) => start + length - 1);
    return logitsOf(decoder, tf.gather(hidden, tf.tensor1d(lastRows, 'int32')));
  });
  disposeBatch(batch);
  return logits;
}
