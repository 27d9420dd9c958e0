import { describe, expect, it } from 'vitest';
import { scoresOf } from './cross-validation.js';
import { lbfgs } from './lbfgs.js';
import { type Example, trainLogisticRegression } from './logistic-regression.js';

const row = (...indices: number[]) => ({
  indices: Int32Array.from(indices),
  values: new Float32Array(indices.length).fill(1),
});

describe('lbfgs', () => {
  it('finds the minimum of a badly scaled bowl', () => {
    const point = Float64Array.of(0, 0);
    lbfgs(
      ([x, y], gradient) => {
        gradient.set([2 * (x! - 3), 200 * (y! + 1)]);
        return (x! - 3) ** 2 + 100 * (y! + 1) ** 2;
      },
      point,
      { maxIterations: 100, tolerance: 1e-9 },
    );
    expect(point[0]).toBeCloseTo(3, 5);
    expect(point[1]).toBeCloseTo(-1, 5);
  });
});

describe('trainLogisticRegression', () => {
  const examples: Example[] = [
    { row: row(5), target: [1, 0], weight: 3 },
    { row: row(5), target: [0, 1], weight: 1 },
    { row: row(9), target: [0, 1], weight: 2 },
  ];

  it('gives the frequencies where nothing holds the weights back', () => {
    const model = trainLogisticRegression(examples, 2, 16, 1e-6);
    const [a, b] = scoresOf(row(5), model);
    // Three quarters of the weight with feature 5 is of class 0.
    expect(1 / (1 + Math.exp(b! - a!))).toBeCloseTo(0.75, 2);
  });

  it('stands still where the gradient of loss and penalty is zero', () => {
    const l2 = 0.5;
    const { weights } = trainLogisticRegression([{ row: row(1), target: [0.2, 0.8], weight: 1 }], 2, 4, l2);
    // The bias alone explains one example, so that its feature needs no weight.
    expect(Math.abs(weights[2]!)).toBeLessThan(1e-3);
    const one = trainLogisticRegression(examples, 2, 16, l2);
    const [a, b] = scoresOf(row(9), one);
    const p0 = 1 / (1 + Math.exp(b! - a!));
    // d/dw of 2 * cross-entropy + l2 / 2 * w^2: 2 * (p0 - 0) + l2 * w.
    expect(2 * p0 + l2 * one.weights[18]!).toBeCloseTo(0, 2);
  });

  it('gives the same weights again', () => {
    expect(trainLogisticRegression(examples, 2, 16, 0.1)).toEqual(trainLogisticRegression(examples, 2, 16, 0.1));
  });
});
