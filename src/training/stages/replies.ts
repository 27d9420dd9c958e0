import type { ModelSource } from '../../model/model-source.js';
import type { RunContext } from '../run-context.js';
import type { PairRow } from '../store/pair-row.js';

/** Held-out anchors whose replies are kept for people to compare. */
const MOST_REPLIES = 8;

/** Greedy replies to the bare prompts of the first pairs, as text. */
export async function boundedGreedy(
  { slot, tokenizer, settings }: RunContext,
  source: ModelSource,
  pairs: readonly PairRow[],
): Promise<string[]> {
  const policy = await slot.use(source);
  const requests = pairs.slice(0, MOST_REPLIES).map(({ promptIds }) => ({ promptIds, seed: settings.seed }));
  const how = { temperature: 0, topP: 1, topK: 0, maxNewTokens: settings.newTokens };
  const samples = await policy.sample(requests, how);
  return samples.map(({ ids }) => tokenizer.decode(ids, { skipSpecial: true }));
}
