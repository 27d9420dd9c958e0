import { expect, test } from 'vitest';
import { learningRateAt, totalSteps } from './schedule.js';

const rates = (total: number, settings: Parameters<typeof learningRateAt>[2]) =>
  Array.from({ length: total }, (_, i) => learningRateAt(i + 1, total, settings));

test('falls linearly from the first step on, lr * (N - k + 1) / N', () => {
  expect(rates(4, { learningRate: 8, schedule: 'linear', warmupRatio: 0 })).toEqual([8, 6, 4, 2]);
});

test('rises from 0 over the warm-up, which is rounded up, then falls', () => {
  expect(rates(5, { learningRate: 8, schedule: 'linear', warmupRatio: 0.3 })).toEqual([0, 4, 8, 16 / 3, 8 / 3]);
});

test('stays after the warm-up when it is constant', () => {
  expect(rates(4, { learningRate: 8, schedule: 'constant', warmupRatio: 0.5 })).toEqual([0, 4, 8, 8]);
  expect(rates(3, { learningRate: 8, schedule: 'constant', warmupRatio: 0 })).toEqual([8, 8, 8]);
});

test('counts a smaller last batch as a step, and ends at maxSteps', () => {
  expect(totalSteps(9, { batchSize: 4, epochs: 2 })).toBe(6);
  expect(totalSteps(9, { batchSize: 4, epochs: 2, maxSteps: 5 })).toBe(5);
  expect(totalSteps(9, { batchSize: 4, epochs: 1, maxSteps: 5 })).toBe(3);
});
