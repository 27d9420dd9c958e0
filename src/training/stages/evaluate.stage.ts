import type { EvaluateOutcome, MarginSummary, TrainOutcome } from '../outcomes.js';
import { type ScoredPair, summarizeMargins } from '../rewards.js';
import { isSame, policyAfter, type RunContext, referenceOf } from '../run-context.js';
import { scorePairs } from '../score-pairs.js';
import type { PairRow } from '../store/pair-row.js';
import { readPairs } from '../store/pair-store.js';
import { marginFromIterationStart, readHeldOut, saveRepliesAfter, scoreHeldOut } from './held-out.js';
import { boundedGreedy } from './replies.js';

/** How far the policy has come: held-out margins, and after the last iteration all training pairs scored again. */
export async function evaluateStage(
  context: RunContext,
  iteration: number,
  train: TrainOutcome,
): Promise<EvaluateOutcome> {
  const { beta, seed, iterations } = context.settings;
  const heldOut = summarizeMargins(await scoreHeldOut(context, iteration), beta, seed);
  const fromStart = await marginFromIterationStart(context, iteration);
  const outcome = { heldOut: { ...heldOut, marginFromIterationStart: fromStart }, train };
  if (iteration < iterations) return outcome;
  await saveRepliesAfter(
    context,
    await boundedGreedy(context, policyAfter(context, iteration), await readHeldOut(context)),
  );
  return { ...outcome, rescored: await rescore(context) };
}

interface IterationPair extends PairRow {
  iteration: number;
}

/** The training pairs of all iterations under the final policy against the run's starting policy. */
async function rescore(context: RunContext): Promise<MarginSummary> {
  const { iterations, beta, seed } = context.settings;
  const pairs = await allTrainPairs(context);
  const final = await scorePairs(context, policyAfter(context, iterations), pairs);
  const start = await scoreUnderStart(context, pairs);
  const scored: ScoredPair[] = pairs.map(({ anchorId }, index) => ({
    anchorId,
    policy: final[index]!,
    against: start[index]!,
  }));
  return summarizeMargins(scored, beta, seed);
}

async function allTrainPairs({ dataSource, run, settings }: RunContext): Promise<IterationPair[]> {
  const all: IterationPair[] = [];
  for (let iteration = 1; iteration <= settings.iterations; iteration++) {
    const pairs = await readPairs(dataSource, { runId: run.id, iteration, split: 'train' });
    all.push(...pairs.map((pair) => ({ ...pair, iteration })));
  }
  return all;
}

/** Where an iteration's reference was the starting policy, its scores are known already. */
async function scoreUnderStart(context: RunContext, pairs: readonly IterationPair[]) {
  const isKnown = ({ iteration }: IterationPair) => isSame(referenceOf(context, iteration), context.start);
  const unknown = pairs.filter((pair) => !isKnown(pair));
  const scored = await scorePairs(context, context.start, unknown);
  const found = new Map(unknown.map((pair, index) => [pair, scored[index]!]));
  return pairs.map((pair) => found.get(pair) ?? pair.scores.reference!);
}
