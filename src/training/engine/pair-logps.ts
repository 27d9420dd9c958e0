import type { EnginePolicy, PairLogps, TokenPair } from './training-engine.js';

/** Log-probabilities of chosen and rejected under a policy, summed over tokens, in the order of the pairs. */
export async function pairLogps(
  policy: EnginePolicy,
  pairs: readonly TokenPair[],
  onProgress?: (done: number, total: number) => void,
): Promise<PairLogps[]> {
  const completions = pairs.flatMap(({ promptIds, chosenIds, rejectedIds }) => [
    { promptIds, completionIds: chosenIds },
    { promptIds, completionIds: rejectedIds },
  ]);
  const logprobs = await policy.logprobs(completions, (done) => onProgress?.(done, completions.length));
  const sums = logprobs.map((tokens) => tokens.reduce((sum, logprob) => sum + logprob, 0));
  return pairs.map((_, index) => ({ chosen: sums[2 * index]!, rejected: sums[2 * index + 1]! }));
}
