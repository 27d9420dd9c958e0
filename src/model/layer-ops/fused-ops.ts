import { dtypeOf, execute, executeAll, flag, real, type, whole } from '../native.js';
import { NUMBERS } from '../ops.js';
import type { LayerOps } from './layer-ops.js';

/** By ops of our own (`scripts/setup/kernels`), each one pass over memory. They are for processors only. */
export const fusedOps: LayerOps = {
  norm: (x, weight, eps, dtype) =>
    execute('DriftloopRmsNorm', [type('T', NUMBERS[dtype]), real('eps', eps)], [x, weight]),

  normBackward(x, weight, eps, dys, past) {
    const attributes = [type('T', dtypeOf(dys[0]!)), whole('N', dys.length), real('eps', eps)];
    const [dx, dWeight] = executeAll('DriftloopRmsNormGrad', attributes, [x, weight, past, ...dys], 2);
    return { dx: dx!, dWeight: () => dWeight! };
  },

  swiglu: (gate, up) => execute('DriftloopSwiglu', [type('T', dtypeOf(gate))], [gate, up]),

  swigluBackward(gate, up, dy) {
    const [dGate, dUp] = executeAll('DriftloopSwigluGrad', [type('T', dtypeOf(dy))], [gate, up, dy], 2);
    return { dGate: dGate!, dUp: dUp! };
  },

  plus: (x, y) => execute('DriftloopSum', [type('T', dtypeOf(y))], [x, y]),

  rotate: (x, { cos, sin }, dtype) =>
    execute('DriftloopRotate', [type('T', dtypeOf(x)), type('U', NUMBERS[dtype]), flag('back', false)], [x, cos, sin]),

  rotateBackward: (dy, { cos, sin }) =>
    execute('DriftloopRotate', [type('T', dtypeOf(dy)), type('U', dtypeOf(dy)), flag('back', true)], [dy, cos, sin]),

  softmax: (scores, mask, dtype) => execute('DriftloopSoftmax', [type('T', NUMBERS[dtype])], [scores, mask]),

  softmaxBackward: (shares, dShares) =>
    execute('DriftloopSoftmaxGrad', [type('T', dtypeOf(shares))], [shares, dShares]),
};
