import { DriftError } from '../drift-error.js';
import type { DpoSettings, ReferencedPair, TrainingStep } from '../training/engine/training-engine.js';
import type { Decoder } from './decoder.js';
import { addDpoGradients, type PairFigures } from './dpo-gradients.js';
import { Gradients } from './gradients.js';
import { pairTokens } from './packing.js';
import { forPass, prepareProducts, releaseProducts } from './prepared-decoder.js';
import { seededRandom, shuffledIndices } from './random.js';
import { clipScale, RmsProp } from './rms-prop.js';
import { learningRateAt, totalSteps } from './schedule.js';
import type { Tensor } from './tf.js';
import { MAX_PASS_TOKENS, mustRecompute } from './training-memory.js';

/**
 * Trains the decoder's weights, or its adapter where it has one, by DPO.
 * @throws DriftError `interrupted` between two steps once `signal` is aborted; `training-diverged` when a loss or
 *   gradient is not finite (the weights are then as before that step); `out-of-memory` before the first step
 */
export async function trainDpo(
  decoder: Decoder,
  pairs: readonly ReferencedPair[],
  settings: DpoSettings,
  onStep: (step: TrainingStep, totalSteps: number) => void | Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const parameters = decoder.lora === null ? decoder.weights : decoder.lora.weights;
  const { config, dtype, lora } = decoder;
  const size = { config, dtype, loraRank: lora?.rank ?? null, batchSize: settings.batchSize };
  const recompute = mustRecompute(size, pairs);
  const optimizer = new RmsProp();
  const total = totalSteps(pairs.length, settings);
  let step = 0;
  try {
    for (const batch of batches(pairs, settings, total)) {
      stopIfAborted(signal);
      step += 1;
      const learningRate = learningRateAt(step, total, settings);
      const done = trainStep(decoder, parameters, optimizer, batch, { ...settings, recompute }, { step, learningRate });
      await onStep({ step, ...done, learningRate }, total);
      await new Promise(setImmediate);
    }
  } finally {
    optimizer.dispose();
  }
}

function* batches(pairs: readonly ReferencedPair[], { order, batchSize, seed }: DpoSettings, total: number) {
  const random = seededRandom(seed);
  for (let done = 0; done < total; ) {
    const ordered = order === 'file' ? pairs : shuffledIndices(pairs.length, random).map((i) => pairs[i]!);
    for (let start = 0; start < pairs.length && done < total; start += batchSize, done++) {
      yield ordered.slice(start, start + batchSize);
    }
  }
}

function stopIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  if (signal.reason instanceof DriftError) throw signal.reason;
  throw new DriftError('interrupted', 'Training was stopped as asked.', { retriable: true });
}

type StepSettings = DpoSettings & { recompute: boolean };

function trainStep(
  decoder: Decoder,
  parameters: Map<string, Tensor>,
  optimizer: RmsProp,
  batch: readonly ReferencedPair[],
  settings: StepSettings,
  { step, learningRate }: { step: number; learningRate: number },
): Omit<TrainingStep, 'step' | 'learningRate'> {
  const gradients = new Gradients(new Set(parameters.keys()));
  try {
    const figures = addBatchGradients(decoder, batch, settings, gradients, step);
    const gradNorm = gradients.norm();
    refuseNonFinite(figures, gradNorm);
    optimizer.update(parameters, gradients, learningRate, clipScale(gradNorm, settings.maxGradNorm));
    return { ...summarize(figures), gradNorm };
  } finally {
    gradients.dispose();
  }
}

function addBatchGradients(
  decoder: Decoder,
  batch: readonly ReferencedPair[],
  settings: StepSettings,
  gradients: Gradients,
  step: number,
): PairFigures[] {
  const prepared = prepareProducts(decoder);
  try {
    // A step has at most as many passes as pairs; the last batch of an epoch may be short.
    return microBatches(batch).flatMap((pairs, i) => {
      const pass = forPass(prepared, settings.seed, step * settings.batchSize + i);
      return addDpoGradients(pass, pairs, settings, batch.length, gradients, settings.recompute);
    });
  } finally {
    releaseProducts(prepared);
  }
}

/** Whole pairs together within the budget of tokens. */
function microBatches(batch: readonly ReferencedPair[]): ReferencedPair[][] {
  const micro: ReferencedPair[][] = [];
  let room = 0;
  for (const pair of batch) {
    const tokens = pairTokens(pair);
    if (tokens > room) {
      micro.push([]);
      room = MAX_PASS_TOKENS;
    }
    micro.at(-1)!.push(pair);
    room -= tokens;
  }
  return micro;
}

function refuseNonFinite(figures: readonly PairFigures[], gradNorm: number): void {
  if (figures.every(({ loss }) => Number.isFinite(loss)) && Number.isFinite(gradNorm)) return;
  const losses = figures.map(({ loss }) => loss);
  throw new DriftError('training-diverged', `Training diverged: losses ${losses}, gradient norm ${gradNorm}.`, {
    facts: { losses, gradNorm },
  });
}

function summarize(figures: readonly PairFigures[]): Omit<TrainingStep, 'step' | 'learningRate' | 'gradNorm'> {
  const mean = (of: (figure: PairFigures) => number) =>
    figures.reduce((sum, figure) => sum + of(figure), 0) / figures.length;
  const margins = figures.map(({ chosenReward, rejectedReward }) => chosenReward - rejectedReward);
  return {
    loss: mean(({ loss }) => loss),
    chosenReward: mean(({ chosenReward }) => chosenReward),
    rejectedReward: mean(({ rejectedReward }) => rejectedReward),
    margin: margins.reduce((sum, margin) => sum + margin, 0) / margins.length,
    accuracy: margins.filter((margin) => margin > 0).length / margins.length,
    chosenLogps: mean(({ chosenLogps }) => chosenLogps),
    rejectedLogps: mean(({ rejectedLogps }) => rejectedLogps),
    margins,
  };
}
