import type { FeatureVector } from './feature-vector.js';

/** Scores of `classes` outputs that are linear in the features; weights in eight bits, one scale a class. */
export interface QuantisedOutput {
  classes: number;
  bias: number[];
  scales: number[];
  /** `weights[bucket * classes + class]`, times the class's scale. */
  weights: Int8Array;
}

/** A linear output ready for use. The weights stay in eight bits: they are read at random, and so fit the cache. */
export class LinearOutput {
  constructor(private readonly output: QuantisedOutput) {}

  /** Writes the classes' scores of the vector into `scores`. */
  score({ size, indices, values }: FeatureVector, scores: Float64Array): void {
    const { classes, bias, scales, weights } = this.output;
    scores.fill(0);
    for (let i = 0; i < size; i++) {
      const base = indices[i]! * classes;
      const value = values[i]!;
      for (let c = 0; c < classes; c++) scores[c]! += weights[base + c]! * value;
    }
    for (let c = 0; c < classes; c++) scores[c] = bias[c]! + scales[c]! * scores[c]!;
  }
}

/** Rounds weights to eight bits, the largest of each class to 127. */
export function quantise(classes: number, weights: Float64Array, bias: Float64Array): QuantisedOutput {
  const tops = new Array<number>(classes).fill(1e-12);
  weights.forEach((weight, at) => {
    tops[at % classes] = Math.max(tops[at % classes]!, Math.abs(weight));
  });
  const scales = tops.map((top) => top / 127);
  return {
    classes,
    bias: [...bias],
    scales,
    weights: Int8Array.from(weights, (weight, at) => Math.round(weight / scales[at % classes]!)),
  };
}
