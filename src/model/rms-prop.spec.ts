import { expect, test } from 'vitest';
import { Gradients } from './gradients.js';
import { clipScale, RmsProp } from './rms-prop.js';
import { tf } from './tf.js';

function gradients(values: number[]): Gradients {
  const made = new Gradients(new Set(['w']));
  made.add('w', () => tf.tensor1d(values));
  return made;
}

test.each([true, false])(
  'updates as torch.optim.RMSprop does, epsilon outside the root (by an op of our own: %s)',
  (fused) => {
    const parameters = new Map([['w', tf.tensor1d([1, 1, 1])]]);
    const optimizer = new RmsProp(fused);
    optimizer.update(parameters, gradients([2, -0.5, 1e-9]), 0.1, 1);
    // v = 0.01 g^2, so the first step is lr * g / (0.1 |g| + 1e-8): 1, and 0.1 * 1e-9 / (1e-10 + 1e-8) for the last.
    const [first, second, third] = parameters.get('w')!.dataSync();
    expect(first).toBeCloseTo(0, 5);
    expect(second).toBeCloseTo(2, 5);
    expect(1 - third!).toBeCloseTo(0.1 * (1e-9 / 1.01e-8), 6);
    optimizer.update(parameters, gradients([1, 1, 0]), 0.1, 1);
    // v = 0.99 * 0.04 + 0.01 and 0.99 * 0.0025 + 0.01
    const [again, opposite, still] = parameters.get('w')!.dataSync();
    expect(again).toBeCloseTo(-0.1 / Math.sqrt(0.0496), 5);
    expect(opposite).toBeCloseTo(2 - 0.1 / Math.sqrt(0.012475), 5);
    expect(still).toBe(third);
    optimizer.dispose();
  },
);

test('sees gradients only after they are scaled', () => {
  const parameters = new Map([['w', tf.tensor1d([0])]]);
  const optimizer = new RmsProp();
  optimizer.update(parameters, gradients([4]), 0.1, 0.5);
  optimizer.update(parameters, gradients([1]), 0.1, 1);
  // v = 0.99 * 0.01 * 2^2 + 0.01
  expect(parameters.get('w')!.dataSync()[0]).toBeCloseTo(-1 - 0.1 / Math.sqrt(0.0496), 5);
  optimizer.dispose();
});

test('scales gradients down to the largest norm, never up', () => {
  const norm = gradients([3, -4, 12]).norm();
  expect(norm).toBeCloseTo(13, 5);
  expect(clipScale(norm, 1)).toBeCloseTo(1 / (13 + 1e-6), 9);
  expect(clipScale(0.5, 1)).toBe(1);
});
