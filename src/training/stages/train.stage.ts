import type { TrainOutcome } from '../outcomes.js';
import { isSame, policyAfter, type RunContext, referenceOf } from '../run-context.js';
import { readPairs } from '../store/pair-store.js';
import { trainPairs } from '../train-pairs.js';

/** One pass (or `epochs`) over the iteration's pairs, from the policy at its start. */
export async function trainStage(context: RunContext, iteration: number): Promise<TrainOutcome> {
  const pairs = await readPairs(context.dataSource, { runId: context.run.id, iteration, split: 'train' });
  const source = policyAfter(context, iteration - 1);
  return trainPairs(
    context,
    pairs.map(({ promptIds, chosenIds, rejectedIds, scores }) => ({
      promptIds,
      chosenIds,
      rejectedIds,
      reference: scores.reference!,
    })),
    {
      iteration,
      source,
      epochs: context.settings.epochs,
      referenceIsPolicy: isSame(source, referenceOf(context, iteration)),
    },
  );
}
