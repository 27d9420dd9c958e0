import { DriftError } from '../../drift-error.js';
import { judgeReplies } from '../judge-replies.js';
import type { PairOutcome } from '../outcomes.js';
import { type RunContext, referenceOf } from '../run-context.js';
import { scorePairs } from '../score-pairs.js';
import { readPairs, saveScores } from '../store/pair-store.js';
import { boundedGreedy } from './replies.js';

/**
 * Gives each pair the log-probabilities that stay fixed while the policy is trained: of the loss's reference, and for
 * the held-out pairs (iteration 0) of the run's starting policy, with its replies to the bare prompts.
 */
export async function pairStage(context: RunContext, iteration: number): Promise<PairOutcome> {
  const split = iteration === 0 ? 'held-out' : 'train';
  const set = { runId: context.run.id, iteration, split } as const;
  const pairs = await readPairs(context.dataSource, set);
  if (pairs.length === 0) throw noPairs(context, iteration);
  const source = iteration === 0 ? context.start : referenceOf(context, iteration);
  const logps = await scorePairs(context, source, pairs);
  const before = iteration === 0 ? await boundedGreedy(context, source, pairs) : [];
  const scored = pairs.map((pair, index) => ({
    anchorId: pair.anchorId,
    scores:
      iteration === 0
        ? { ...pair.scores, start: logps[index]!, replies: { before: before[index] } }
        : { ...pair.scores, reference: logps[index]! },
  }));
  await context.lease.write((manager) => saveScores(manager, set, scored));
  return {
    pairs: pairs.length,
    reference: iteration === 0 ? 'start' : context.settings.reference,
    chosenTokens: pairs.reduce((sum, { chosenIds }) => sum + chosenIds.length, 0),
    rejectedTokens: pairs.reduce((sum, { rejectedIds }) => sum + rejectedIds.length, 0),
    ...(iteration > 0 && { replies: await judgeReplies(context, pairs) }),
  };
}

function noPairs({ run }: RunContext, iteration: number): DriftError {
  const whose = iteration === 0 ? 'the held-out anchors' : `iteration ${iteration}`;
  return new DriftError(
    'training-diverged',
    `Run ${run.id}: no sample for ${whose} passed verification, so there is nothing to compare or train on. See the reasons of its sample stage (driftloop runs show ${run.id}).`,
    { facts: { run: run.id, iteration } },
  );
}
