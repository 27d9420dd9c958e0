import { describe, expect, it } from 'vitest';
import { DriftError } from '../drift-error.js';
import { quantise } from './linear-output.js';
import { decodeStage, encodeStage, type StageModel } from './stage-model.js';

const output = (classes: number) =>
  quantise(
    classes,
    Float64Array.from({ length: 4 * classes }, (_, at) => Math.sin(at)),
    new Float64Array(classes),
  );

const model: StageModel = {
  bits: 2,
  frequentTokens: [-5, 7],
  labels: output(3),
  rubrics: output(9),
  calibration: { scale: 1.1, shift: [0.1, -0.2, 0] },
  decision: { dsat: 0.35, sat: 0.5 },
  encoder: null,
  band: { dsat: [0.1, 0.9], sat: [0.1, 0.9] },
};

describe('a stage file', () => {
  it('holds the stage', () => {
    expect(decodeStage(encodeStage(model), 'x.bin')).toEqual(model);
    expect(decodeStage(encodeStage({ ...model, band: null }), 'x.bin').band).toBeNull();
  });

  it('is refused by name wherever it is cut off, and where it is no such file', () => {
    const bytes = encodeStage(model);
    for (let end = 0; end < bytes.length; end++) {
      expect(() => decodeStage(bytes.subarray(0, end), 'x.bin')).toThrow(DriftError);
    }
    expect(() => decodeStage(Buffer.from('not a classifier at all'), 'x.bin')).toThrow(
      /x\.bin is not a classifier file/,
    );
  });
});

describe('quantise', () => {
  it('keeps weights to half a step of their class', () => {
    const weights = Float64Array.of(1, -20, 0.3, 5);
    const { weights: rounded, scales } = quantise(2, weights, new Float64Array(2));
    weights.forEach((weight, at) => {
      expect(Math.abs(rounded[at]! * scales[at % 2]! - weight)).toBeLessThanOrEqual(scales[at % 2]! / 2 + 1e-9);
    });
  });
});
