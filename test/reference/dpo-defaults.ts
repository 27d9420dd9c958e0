import type { DpoArguments } from '../../src/cli/dpo.action.js';

/** The command's own defaults, which are the reference's settings too. */
export const dpoDefaults = {
  beta: 0.1,
  batchSize: 4,
  epochs: 1,
  schedule: 'constant',
  warmupRatio: 0,
  order: 'file',
  maxGradNorm: 1,
  labelSmoothing: 0,
  dtype: 'fp32',
  seed: 0,
} satisfies Partial<DpoArguments>;
