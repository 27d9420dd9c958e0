import type { Sample, SampleRequest, SampleSettings } from '../../training/engine/training-engine.js';
import type { Decoder } from '../decoder.js';
import { Batch } from './batch.js';
import { type Draft, type Ends, extend, startDraft } from './draft.js';
import { type Native, NativeSession } from './native-session.js';
import { nextTokens } from './next-tokens.js';
import { orderForSharing } from './prompt-trie.js';
import type { SamplingModel } from './sampling-layers.js';
import { samplingWeights } from './sampling-weights.js';

const MAX_SLOTS = 32;
/** Of keys and values. */
const MAX_CACHE_BYTES = 2 ** 31;
/** Waiting sequences enter, or the batch shrinks, when so many of its slots are free. */
const FREE_SHARE = 0.25;

export interface GenerateOptions {
  eosIds: readonly number[];
  /** Text of ids, for stop strings. */
  decode(ids: readonly number[]): string;
  onProgress?: ((done: number) => void) | undefined;
}

/**
 * Samples a completion for each request, in their order. Sequences that end make room for those that wait. Each draws
 * from its own seed, so that its completion does not depend on the others (but for rounding, where two tokens are
 * equally likely to the last digits).
 */
export async function generate(
  decoder: Decoder,
  requests: readonly SampleRequest[],
  settings: SampleSettings,
  { eosIds, decode, onProgress }: GenerateOptions,
): Promise<Sample[]> {
  const drafts = requests.map((request) => startDraft(request, settings));
  const { stopIds = [], stopStrings = [] } = settings;
  const session = new NativeSession();
  try {
    const model = { config: decoder.config, weights: samplingWeights(session, decoder), session };
    await run(model, drafts, settings, { eosIds, stopIds, stopStrings, decode }, onProgress);
  } finally {
    session.dispose();
  }
  return drafts.map(({ ids, logprobs, finish }) => ({ ids, logprobs, finish: finish ?? 'length' }));
}

async function run(
  model: SamplingModel,
  drafts: readonly Draft[],
  settings: SampleSettings,
  ends: Ends,
  onProgress: GenerateOptions['onProgress'],
): Promise<void> {
  let done = 0;
  const extendAll = (rows: readonly (Draft | null)[], logits: Native): undefined => {
    for (const [row, token] of nextTokens(model.session, logits, rows, settings).entries()) {
      if (token === null) continue;
      extend(rows[row]!, token, ends);
      if (rows[row]!.finish !== null) onProgress?.(++done);
    }
  };
  const waiting = orderForSharing(drafts.map(({ request }) => request.promptIds)).map((index) => drafts[index]!);
  const batch = new Batch(model, slotsFor(model, drafts));
  while (waiting.length > 0 || batch.freeSlots < batch.drafts.length) {
    const { freeSlots } = batch;
    const many = freeSlots >= FREE_SHARE * batch.drafts.length;
    if (waiting.length > 0 && (many || freeSlots >= waiting.length)) {
      const entering = waiting.splice(0, freeSlots);
      model.session.scope(() => extendAll(entering, batch.admit(entering)));
    } else {
      if (many && waiting.length === 0) batch.shrink();
      model.session.scope(() => extendAll(batch.drafts, batch.step()));
    }
    batch.removeFinished();
    await new Promise(setImmediate);
  }
}

/** As many as there are sequences, the cache may hold and one batch takes. */
function slotsFor({ config }: SamplingModel, drafts: readonly Draft[]): number {
  const bytesPerToken = config.layers * config.kvHeads * config.headDim * 2 * 4;
  const longest = Math.max(...drafts.map(({ request, maxNewTokens }) => request.promptIds.length + maxNewTokens));
  const held = Math.floor(MAX_CACHE_BYTES / (longest * bytesPerToken));
  return Math.max(1, Math.min(MAX_SLOTS, drafts.length, held));
}
