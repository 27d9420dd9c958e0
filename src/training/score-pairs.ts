import type { ModelSource } from '../model/model-source.js';
import { pairLogps } from './engine/pair-logps.js';
import type { PairLogps, TokenPair } from './engine/training-engine.js';
import type { RunContext } from './run-context.js';

/** Log-probabilities of chosen and rejected under one policy, in the order of the pairs. */
export async function scorePairs(
  { slot, progress }: Pick<RunContext, 'slot' | 'progress'>,
  source: ModelSource,
  pairs: readonly TokenPair[],
): Promise<PairLogps[]> {
  if (pairs.length === 0) return [];
  const policy = await slot.use(source);
  return pairLogps(policy, pairs, (done, total) => progress.tick(() => `  scored ${done} of ${total} replies`));
}
