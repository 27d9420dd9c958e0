import { expect, it } from 'vitest';
import { monitorStep } from './monitors.js';

const step = {
  step: 1,
  loss: 0.5,
  chosenReward: -0.2,
  rejectedReward: -1,
  margin: 0.8,
  accuracy: 1,
  chosenLogps: -50,
  rejectedLogps: -60,
  gradNorm: 1,
  learningRate: 1e-5,
  margins: [0, Math.log(3), Math.log(3) + 1e-9, 5],
};

it('counts the pairs whose gradient has not vanished: sigma(-margin) of at least a quarter', () => {
  // sigma(-ln 3) is a quarter exactly.
  expect(monitorStep(step, 0.1).p0).toBe(0.5);
});

it('gives quantiles of the margins, the mean gradient weight and how far chosen have moved', () => {
  const monitors = monitorStep({ ...step, margins: [0, 0] }, 0.1);
  expect(monitors).toMatchObject({ marginP10: 0, marginP90: 0, meanSigma: 0.5, margins: [0, 0] });
  expect(monitors.chosenLogpsChange).toBeCloseTo(-2, 12);
});
