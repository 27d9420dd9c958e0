import { rewardsOf, type ScoredPair } from '../rewards.js';
import { policyAfter, type RunContext } from '../run-context.js';
import { scorePairs } from '../score-pairs.js';
import { mean } from '../statistics.js';
import type { PairRow } from '../store/pair-row.js';
import { readPairs, saveScores } from '../store/pair-store.js';

const setOf = ({ run }: RunContext) => ({ runId: run.id, iteration: 0, split: 'held-out' }) as const;

export const readHeldOut = (context: RunContext): Promise<PairRow[]> => readPairs(context.dataSource, setOf(context));

/** Scores the held-out pairs under the policy after an iteration, against the run's starting policy. */
export async function scoreHeldOut(context: RunContext, iteration: number): Promise<ScoredPair[]> {
  const pairs = await readHeldOut(context);
  const logps = await scorePairs(context, policyAfter(context, iteration), pairs);
  const scored = pairs.map(({ anchorId, scores }, index) => ({
    anchorId,
    scores: { ...scores, after: { ...scores.after, [iteration]: logps[index]! } },
  }));
  await context.lease.write((manager) => saveScores(manager, setOf(context), scored));
  return pairs.map(({ anchorId, scores }, index) => ({ anchorId, policy: logps[index]!, against: scores.start! }));
}

/** Mean margin of the held-out pairs after an iteration against the policy at its start. */
export async function marginFromIterationStart(context: RunContext, iteration: number): Promise<number> {
  const before = String(iteration - 1);
  const margins = (await readHeldOut(context)).map(({ scores }) => {
    const against = scores.after?.[before] ?? scores.start!;
    return rewardsOf({ policy: scores.after![iteration]!, against }, context.settings.beta).margin;
  });
  return mean(margins);
}

/** Keeps the final policy's replies beside those of the starting one. */
export async function saveRepliesAfter(context: RunContext, replies: readonly string[]): Promise<void> {
  const pairs = (await readHeldOut(context)).slice(0, replies.length);
  const scored = pairs.map(({ anchorId, scores }, index) => ({
    anchorId,
    scores: { ...scores, replies: { ...scores.replies, after: replies[index] } },
  }));
  await context.lease.write((manager) => saveScores(manager, setOf(context), scored));
}
