import { createRequire } from 'node:module';
import type * as tfjs from '@tensorflow/tfjs-node-gpu';
import { DriftError } from '../drift-error.js';

export type Tensor = tfjs.Tensor;
export type Tensor1D = tfjs.Tensor1D;

const require = createRequire(import.meta.url);

/**
 * TensorFlow.js on the native library: the only place that loads it, which takes a second and some hundred megabytes.
 * @throws DriftError `engine-unavailable` while the native addon or library is not there.
 */
export const tf: typeof tfjs = load();

function load(): typeof tfjs {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  // On a GPU it would else take all memory at once, whoever else needs some.
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  restoreRemovedUtilities();
  try {
    return require('@tensorflow/tfjs-node-gpu');
  } catch (cause) {
    const message = 'The native TensorFlow library cannot be loaded: run `npm run setup`, which builds and links it.';
    throw new DriftError('engine-unavailable', `${message} (${firstLine(cause)})`, { cause });
  }
}

/** tfjs-node 4.22 calls two functions that Node 23 removed. */
function restoreRemovedUtilities(): void {
  const util: Record<string, unknown> = require('node:util');
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}

function firstLine(cause: unknown): string {
  return String(cause instanceof Error ? cause.message : cause).split('\n', 1)[0]!;
}
