import type { DpoSettings } from '../training/engine/training-engine.js';

/** Steps of a training: an update for each batch, the last batch of an epoch possibly smaller. */
export function totalSteps(
  pairs: number,
  { batchSize, epochs, maxSteps }: Pick<DpoSettings, 'batchSize' | 'epochs' | 'maxSteps'>,
): number {
  const steps = epochs * Math.ceil(pairs / batchSize);
  return maxSteps === undefined ? steps : Math.min(steps, maxSteps);
}

/**
 * Learning rate of step 1..total as transformers has it (get_linear_schedule_with_warmup, and _constant_): it rises
 * from 0 over the first steps, then falls linearly (to lr / (total - warm-up) at the last step) or stays.
 */
export function learningRateAt(
  step: number,
  total: number,
  { learningRate, schedule, warmupRatio }: Pick<DpoSettings, 'learningRate' | 'schedule' | 'warmupRatio'>,
): number {
  const warmup = Math.ceil(total * warmupRatio);
  const done = step - 1;
  if (done < warmup) return (learningRate * done) / warmup;
  if (schedule === 'constant') return learningRate;
  return (learningRate * (total - done)) / (total - warmup);
}
