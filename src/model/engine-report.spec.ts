import { expect, test } from 'vitest';
import { engineReport } from './engine-report.js';
import { backend } from './native.js';
import { tf } from './tf.js';

test('tells device, library, bf16 and the rate of products, and leaves no tensor behind', () => {
  const before = [tf.memory().numTensors, backend.binding.getNumOfTensors()];
  const report = engineReport();
  expect(report).toMatchObject({ engine: 'tfjs', backend: 'tensorflow', bf16: { works: true } });
  expect(report.library).toMatch(/^\d+\.\d+\.\d+/);
  expect(report.matMul.fp32).toBeGreaterThan(0);
  expect(report.matMul.bf16).toBeGreaterThan(0);
  expect([tf.memory().numTensors, backend.binding.getNumOfTensors()]).toEqual(before);
});
