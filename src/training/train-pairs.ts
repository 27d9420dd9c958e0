import { DriftError } from '../drift-error.js';
import type { ModelSource } from '../model/model-source.js';
import { deriveSeed } from '../seeds.js';
import type { ReferencedPair, TrainingStep } from './engine/training-engine.js';
import { monitorStep } from './monitors.js';
import type { TrainOutcome } from './outcomes.js';
import { duration } from './progress.js';
import type { RunContext } from './run-context.js';
import { mean, quantile } from './statistics.js';
import { clearSteps, insertStep } from './store/step-store.js';

export interface TrainingTask {
  /** 0 is the warm start. */
  iteration: number;
  source: ModelSource;
  epochs: number;
  /** Whether `source` is the reference too: then the first step must have margin 0. */
  referenceIsPolicy: boolean;
}

/** Largest margin (beta x nats) that arithmetic alone may leave where policy and reference are the same. */
const EQUAL_MARGIN = { fp32: 0.005, bf16: 0.1 };

/**
 * Trains the policy on the pairs, writes a row for each step, and saves the checkpoint of the iteration.
 * @throws DriftError `training-diverged` at a figure that is not finite, or when policy and reference should be equal and are not
 */
export async function trainPairs(
  context: RunContext,
  pairs: ReferencedPair[],
  task: TrainingTask,
): Promise<TrainOutcome> {
  const { lease, run, settings, slot, files, signal } = context;
  const steps: TrainingStep[] = [];
  const startedAt = Date.now();
  await lease.write((manager) => clearSteps(manager, run.id, task.iteration));
  await slot.change(task.source, async (policy) => {
    await policy.train(
      pairs,
      dpoSettings(context, task),
      async (step, totalSteps) => {
        refuseDiverged(context, task, step);
        steps.push(step);
        const monitors = monitorStep(step, settings.beta);
        await lease.write((manager) => insertStep(manager, run.id, task.iteration, step, monitors));
        context.progress.line(stepLine(step, totalSteps, Date.now() - startedAt));
      },
      signal,
    );
    await files.saveCheckpoint(task.iteration, (dir) => policy.save(dir));
  });
  return summarize(steps);
}

function dpoSettings({ settings }: RunContext, { iteration, epochs }: TrainingTask) {
  const { learningRate, beta, batchSize, schedule, warmupRatio, maxGradNorm, labelSmoothing, sftWeight } = settings;
  const seed = deriveSeed(settings.seed, iteration, 'order');
  const order = 'shuffled' as const;
  return {
    learningRate,
    beta,
    batchSize,
    epochs,
    schedule,
    warmupRatio,
    order,
    maxGradNorm,
    labelSmoothing,
    sftWeight,
    seed,
  };
}

function refuseDiverged(
  { run, settings }: RunContext,
  { iteration, referenceIsPolicy }: TrainingTask,
  step: TrainingStep,
): void {
  const figures = [step.loss, step.gradNorm, step.chosenReward, step.rejectedReward, ...step.margins];
  const where = `Run ${run.id}, iteration ${iteration}, step ${step.step}`;
  if (!figures.every(Number.isFinite)) {
    const message = `${where}: the loss is ${step.loss}, the gradient norm ${step.gradNorm}. No version is published; lower the learning rate (${settings.learningRate}).`;
    throw new DriftError('training-diverged', message, {
      facts: { run: run.id, iteration, step: step.step, loss: step.loss },
    });
  }
  const largest = Math.max(...step.margins.map(Math.abs));
  // With dropout the policy that is trained is not the one that was scored.
  const equal = referenceIsPolicy && step.step === 1 && settings.loraDropout === 0;
  if (equal && largest > EQUAL_MARGIN[settings.dtype]) {
    const message = `${where}: policy and reference are the same weights, yet a margin is ${largest}, not 0. The engine scores and trains differently.`;
    throw new DriftError('training-diverged', message, { facts: { run: run.id, iteration, largest } });
  }
}

function stepLine(step: TrainingStep, totalSteps: number, elapsedMs: number): string {
  const left = duration((elapsedMs / step.step) * (totalSteps - step.step));
  const { loss, margin, chosenReward, rejectedReward } = step;
  const figures = `loss ${loss.toFixed(4)}, margin ${margin.toFixed(4)}, chosen ${chosenReward.toFixed(4)}, rejected ${rejectedReward.toFixed(4)}`;
  return `  step ${step.step}/${totalSteps}: ${figures}, ${left} left`;
}

function summarize(steps: readonly TrainingStep[]): TrainOutcome {
  const margins = steps.flatMap((step) => step.margins);
  return {
    steps: steps.length,
    pairs: margins.length,
    lossMean: mean(steps.map(({ loss }) => loss)),
    lossFirst: steps[0]!.loss,
    lossLast: steps.at(-1)!.loss,
    marginMean: mean(margins),
    marginP10: quantile(margins, 0.1),
    marginP50: quantile(margins, 0.5),
    marginP90: quantile(margins, 0.9),
    chosenReward: mean(steps.map(({ chosenReward }) => chosenReward)),
    rejectedReward: mean(steps.map(({ rejectedReward }) => rejectedReward)),
    accuracy: margins.filter((margin) => margin > 0).length / margins.length,
  };
}
