import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { engineReport, gpuName } from './engine-report.js';
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

test('names the GPUs as their driver does', () => {
  const dir = mkdtempSync(join(tmpdir(), 'driftloop-gpus-'));
  try {
    for (const bus of ['0000:17:00.0', '0000:65:00.0']) {
      mkdirSync(join(dir, bus));
      writeFileSync(join(dir, bus, 'information'), 'Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 18\n');
    }
    expect(gpuName(dir)).toBe('NVIDIA H100 80GB HBM3');
    expect(gpuName(join(dir, 'none'))).toBe('NVIDIA');
  } finally {
    rmSync(dir, { recursive: true });
  }
});
