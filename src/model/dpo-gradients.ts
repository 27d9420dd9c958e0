import type { DpoSettings, ReferencedPair } from '../training/engine/training-engine.js';
import { type DpoOutputs, dpoLoss } from './dpo-loss.js';
import type { Gradients } from './gradients.js';
import { headBackward, trainingLogprobs } from './head.js';
import { disposeBatch, groupByPrompt, type PackedBatch, pack } from './packing.js';
import type { PreparedDecoder } from './prepared-decoder.js';
import { backward, trainingHiddenStates } from './segment-pass.js';
import { type Tensor, tf } from './tf.js';

type LossSettings = Pick<DpoSettings, 'beta' | 'labelSmoothing' | 'sftWeight'>;

/** What one pair contributed to a step. */
export interface PairFigures {
  loss: number;
  chosenReward: number;
  rejectedReward: number;
  chosenLogps: number;
  rejectedLogps: number;
}

/**
 * Adds the gradients of these pairs' losses, divided by `divisor`, in one forward and one backward pass in which a
 * pair's prompt is computed once.
 * @param recompute spends a third more time for less memory, see `trainingHiddenStates`
 */
export function addDpoGradients(
  decoder: PreparedDecoder,
  pairs: readonly ReferencedPair[],
  settings: LossSettings,
  divisor: number,
  gradients: Gradients,
  recompute = false,
): PairFigures[] {
  const batch = pack(groupByPrompt(pairs.flatMap(bothCompletions)));
  const forward = trainingHiddenStates(decoder, batch, recompute);
  const rows = tf.tensor1d(batch.rows, 'int32');
  const labels = tf.tensor1d(batch.labels, 'int32');
  const { logprobs, tape } = trainingLogprobs(decoder, tf.gather(forward.hidden, rows), labels);
  const { dLogprobs, outputs } = tf.tidy(() => pairLosses(batch, logprobs, pairs, settings, divisor));
  const figures = readFigures(outputs);
  const dRows = headBackward(decoder, tape, dLogprobs, gradients);
  const dHidden = tf.unsortedSegmentSum(dRows, rows, batch.ids.length);
  tf.dispose([forward.hidden, rows, labels, logprobs, dLogprobs, dRows]);
  backward(decoder, forward.tape, dHidden, gradients);
  dHidden.dispose();
  disposeBatch(batch);
  return figures;
}

function bothCompletions({ promptIds, chosenIds, rejectedIds }: ReferencedPair) {
  return [
    { promptIds, completionIds: chosenIds },
    { promptIds, completionIds: rejectedIds },
  ];
}

/** The batch's completions are each pair's chosen and rejected in turn. */
function pairLosses(
  batch: PackedBatch,
  logprobs: Tensor,
  pairs: readonly ReferencedPair[],
  settings: LossSettings,
  divisor: number,
): { dLogprobs: Tensor; outputs: PairOutputs } {
  const owners = tf.tensor1d(
    batch.lengths.flatMap((length, i) => new Array<number>(length).fill(i)),
    'int32',
  );
  const sums = tf.reshape(tf.unsortedSegmentSum(logprobs, owners, batch.lengths.length), [-1, 2]);
  const [chosenLogps, rejectedLogps] = tf.unstack(sums, 1) as [Tensor, Tensor];
  const outputs = dpoLoss(
    {
      chosenLogps,
      rejectedLogps,
      referenceChosen: tf.tensor1d(pairs.map(({ reference }) => reference.chosen)),
      referenceRejected: tf.tensor1d(pairs.map(({ reference }) => reference.rejected)),
      chosenTokens: tf.tensor1d(pairs.map(({ chosenIds }) => chosenIds.length)),
      weights: tf.tensor1d(pairs.map(({ weight }) => weight ?? 1)),
      labelSmoothing: tf.tensor1d(pairs.map(({ labelSmoothing }) => labelSmoothing ?? settings.labelSmoothing)),
    },
    settings,
  );
  const perCompletion = tf.reshape(tf.stack([outputs.dChosen, outputs.dRejected], 1), [-1]);
  const dLogprobs = tf.div(tf.gather(perCompletion, owners), divisor);
  return { dLogprobs, outputs: { ...outputs, chosenLogps, rejectedLogps } };
}

type PairOutputs = DpoOutputs & { chosenLogps: Tensor; rejectedLogps: Tensor };

/** Reads and disposes the outputs. */
function readFigures(outputs: PairOutputs): PairFigures[] {
  const [loss, chosenReward, rejectedReward, chosenLogps, rejectedLogps] = [
    outputs.losses,
    outputs.chosenRewards,
    outputs.rejectedRewards,
    outputs.chosenLogps,
    outputs.rejectedLogps,
  ].map((tensor) => tensor.dataSync<'float32'>()) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  tf.dispose(outputs);
  return Array.from(loss, (value, pair) => ({
    loss: value,
    chosenReward: chosenReward[pair]!,
    rejectedReward: rejectedReward[pair]!,
    chosenLogps: chosenLogps[pair]!,
    rejectedLogps: rejectedLogps[pair]!,
  }));
}
