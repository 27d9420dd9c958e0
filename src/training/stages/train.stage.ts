import type { TrainOutcome } from '../outcomes.js';
import { isSame, policyAfter, type RunContext, referenceOf } from '../run-context.js';
import { readPairs } from '../store/pair-store.js';
import { readRunPrecisions } from '../store/run-store.js';
import { trainPairs } from '../train-pairs.js';
import { confidenceTerms } from '../verdict-confidence.js';

/** One pass (or `epochs`) over the iteration's pairs, from the policy at its start. */
export async function trainStage(context: RunContext, iteration: number): Promise<TrainOutcome> {
  const pairs = await readPairs(context.dataSource, { runId: context.run.id, iteration, split: 'train' });
  const source = policyAfter(context, iteration - 1);
  const precisions = await readRunPrecisions(context.dataSource, context.run.id);
  const terms = confidenceTerms(
    pairs.map(({ anchorId }) => precisions.get(anchorId) ?? null),
    context.settings,
  );
  return trainPairs(
    context,
    pairs.map(({ promptIds, chosenIds, rejectedIds, scores }, at) => ({
      promptIds,
      chosenIds,
      rejectedIds,
      reference: scores.reference!,
      ...terms[at],
    })),
    {
      iteration,
      source,
      epochs: context.settings.epochs,
      referenceIsPolicy: isSame(source, referenceOf(context, iteration)),
    },
  );
}
