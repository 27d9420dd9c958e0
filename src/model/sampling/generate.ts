import type { Sample, SampledLengths, SampleRequest, SampleSettings } from '../../training/engine/training-engine.js';
import type { Decoder } from '../decoder.js';
import { Batch } from './batch.js';
import { type Draft, type Ends, extend, startDraft } from './draft.js';
import { slotsFor } from './limits.js';
import { type Native, NativeSession } from './native-session.js';
import { nextTokens } from './next-tokens.js';
import { orderForSharing } from './prompt-trie.js';
import type { SamplingModel } from './sampling-layers.js';
import { checkSamplingMemory } from './sampling-memory.js';
import { samplingWeights } from './sampling-weights.js';

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
 * @throws DriftError `out-of-memory` before any work
 */
export async function generate(
  decoder: Decoder,
  requests: readonly SampleRequest[],
  settings: SampleSettings,
  { eosIds, decode, onProgress }: GenerateOptions,
): Promise<Sample[]> {
  const drafts = requests.map((request) => startDraft(request, settings));
  const { stopIds = [], stopStrings = [] } = settings;
  if (drafts.length === 0) return [];
  const { config, dtype, lora } = decoder;
  checkSamplingMemory({ config, dtype, loraRank: lora?.rank ?? null }, lengthsOf(drafts));
  const session = new NativeSession();
  try {
    const model = { config, weights: samplingWeights(session, decoder), session };
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
  const longest = Math.max(...drafts.map(({ request, maxNewTokens }) => request.promptIds.length + maxNewTokens));
  const batch = new Batch(model, slotsFor(model.config, drafts.length, longest));
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

function lengthsOf(drafts: readonly Draft[]): SampledLengths {
  return {
    sequences: drafts.length,
    promptTokens: Math.max(...drafts.map(({ request }) => request.promptIds.length)),
    newTokens: Math.max(...drafts.map(({ maxNewTokens }) => maxNewTokens)),
  };
}
