import { backend } from '../native.js';
import { tf } from '../tf.js';
import { fusedOps } from './fused-ops.js';
import type { LayerOps } from './layer-ops.js';
import { plainOps } from './plain-ops.js';

/** Whether this addon was built with our own ops, and computes where they can. */
export const hasFusedOps = !backend.binding.isUsingGpuDevice() && canSum();

/** What layers are computed with on this machine. */
export const layerOps: LayerOps = hasFusedOps ? fusedOps : plainOps;

/** The package's own prebuilt addon, where setup has to take that, does not know the op. */
function canSum(): boolean {
  try {
    return tf.tidy(() => fusedOps.plus(tf.scalar(1), tf.scalar(2)).dataSync()[0] === 3);
  } catch {
    return false;
  }
}
