import { expect, test } from 'vitest';
import { dpoLoss } from './dpo-loss.js';
import { tf } from './tf.js';

const inputs = {
  chosenLogps: tf.tensor1d([-10]),
  rejectedLogps: tf.tensor1d([-20]),
  referenceChosen: tf.tensor1d([-12]),
  referenceRejected: tf.tensor1d([-19]),
  chosenTokens: tf.tensor1d([5]),
};
// Rewards 0.1 * 2 and 0.1 * -1, margin 0.3; -log sigma(0.3) = 0.554355, -log sigma(-0.3) = 0.854355.

function first({
  labelSmoothing,
  sftWeight,
  weight = 1,
}: {
  labelSmoothing: number;
  sftWeight: number;
  weight?: number;
}) {
  const each = { weights: tf.tensor1d([weight]), labelSmoothing: tf.tensor1d([labelSmoothing]) };
  const outputs = dpoLoss({ ...inputs, ...each }, { beta: 0.1, sftWeight });
  const { losses, chosenRewards, rejectedRewards, dChosen, dRejected } = outputs;
  const read = [losses, chosenRewards, rejectedRewards, dChosen, dRejected].map((tensor) => tensor.dataSync()[0]!);
  tf.dispose(outputs);
  return read;
}

test('is the sigmoid loss of the margin, with its slope', () => {
  const [loss, chosenReward, rejectedReward, dChosen, dRejected] = first({ labelSmoothing: 0, sftWeight: 0 });
  expect(loss).toBeCloseTo(0.554355, 5);
  expect(chosenReward).toBeCloseTo(0.2, 6);
  expect(rejectedReward).toBeCloseTo(-0.1, 6);
  expect(dChosen).toBeCloseTo(-0.1 * 0.425557, 6);
  expect(dRejected).toBeCloseTo(0.1 * 0.425557, 6);
});

test('mixes in the loss of the opposite preference by label smoothing', () => {
  const [loss, , , dChosen] = first({ labelSmoothing: 0.25, sftWeight: 0 });
  expect(loss).toBeCloseTo(0.75 * 0.554355 + 0.25 * 0.854355, 5);
  expect(dChosen).toBeCloseTo(0.1 * (-0.75 * 0.425557 + 0.25 * 0.574443), 6);
});

test('adds the chosen’s mean negative log-likelihood, which pulls on the chosen only', () => {
  const [loss, , , dChosen, dRejected] = first({ labelSmoothing: 0, sftWeight: 0.5 });
  expect(loss).toBeCloseTo(0.554355 + 0.5 * 2, 5);
  expect(dChosen).toBeCloseTo(-0.1 * 0.425557 - 0.5 / 5, 6);
  expect(dRejected).toBeCloseTo(0.1 * 0.425557, 6);
});

test('weighs the preference of each pair, and not the likelihood of its chosen', () => {
  const [loss, chosenReward, , dChosen, dRejected] = first({ labelSmoothing: 0.25, sftWeight: 0.5, weight: 0.6 });
  expect(loss).toBeCloseTo(0.6 * (0.75 * 0.554355 + 0.25 * 0.854355) + 0.5 * 2, 5);
  expect(chosenReward).toBeCloseTo(0.2, 6);
  expect(dChosen).toBeCloseTo(0.6 * 0.1 * (-0.75 * 0.425557 + 0.25 * 0.574443) - 0.5 / 5, 6);
  expect(dRejected).toBeCloseTo(-0.6 * 0.1 * (-0.75 * 0.425557 + 0.25 * 0.574443), 6);
});

test('takes weight and smoothing of each pair by itself', () => {
  const twice = (tensor: keyof typeof inputs) => tf.concat([inputs[tensor], inputs[tensor]]);
  const each = { weights: tf.tensor1d([1, 0.5]), labelSmoothing: tf.tensor1d([0, 0.25]) };
  const both = {
    chosenLogps: twice('chosenLogps'),
    rejectedLogps: twice('rejectedLogps'),
    referenceChosen: twice('referenceChosen'),
    referenceRejected: twice('referenceRejected'),
    chosenTokens: twice('chosenTokens'),
  };
  const { losses } = dpoLoss({ ...both, ...each }, { beta: 0.1, sftWeight: 0 });
  const [plain, weighed] = losses.dataSync();
  expect(plain).toBeCloseTo(0.554355, 5);
  expect(weighed).toBeCloseTo(0.5 * (0.75 * 0.554355 + 0.25 * 0.854355), 5);
});
