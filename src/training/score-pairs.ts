import type { PairLogps, TokenPair } from './engine/training-engine.js';
import type { PolicySource } from './policy-slot.js';
import type { RunContext } from './run-context.js';

/** Log-probabilities of chosen and rejected under one policy, in the order of the pairs. */
export async function scorePairs(
  { slot, progress }: Pick<RunContext, 'slot' | 'progress'>,
  source: PolicySource,
  pairs: readonly TokenPair[],
): Promise<PairLogps[]> {
  if (pairs.length === 0) return [];
  const policy = await slot.use(source);
  const completions = pairs.flatMap(({ promptIds, chosenIds, rejectedIds }) => [
    { promptIds, completionIds: chosenIds },
    { promptIds, completionIds: rejectedIds },
  ]);
  const logprobs = await policy.logprobs(completions, (done) =>
    progress.tick(() => `  scored ${done} of ${completions.length} replies`),
  );
  const sums = logprobs.map((tokens) => tokens.reduce((sum, logprob) => sum + logprob, 0));
  return pairs.map((_, index) => ({ chosen: sums[2 * index]!, rejected: sums[2 * index + 1]! }));
}
