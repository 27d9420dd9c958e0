import type { Gradients } from './gradients.js';
import { cast, reshape, sigmoidBackward } from './ops.js';
import type { PreparedDecoder } from './prepared-decoder.js';
import { inverseRms, rmsNorm, rmsNormBackward } from './rms-norm.js';
import { type Rotation, rotate, rotateBackward } from './rope.js';
import { attendSegments, attendSegmentsBackward, type Segment, type SegmentState } from './segment-attention.js';
import { linearBackward, linearForward } from './segment-linear.js';
import { type Tensor, tf } from './tf.js';

/** Who sees whom, and where: what all layers of a pass share. */
export interface Layout {
  segments: readonly Segment[];
  /** Of the keys; that of the queries scales them by 1 / sqrt(headDim) too. */
  keyRotation: Rotation;
  queryRotation: Rotation;
}

/** What a layer's backward pass needs of its forward pass and cannot have again for a few elementwise operations. */
export type LayerState = {
  x: Tensor;
  attentionNorm: Tensor;
  segments: SegmentState[];
  attended: Tensor;
  middle: Tensor;
  mlpNorm: Tensor;
  gate: Tensor;
  up: Tensor;
};

/**
 * One layer of a Llama or Qwen2 decoder: x + attention(norm(x)), then + mlp(norm(.)). What goes into products, and
 * comes out of them, has their precision; the sums between layers, norms, rotations and SwiGLU are fp32.
 * @param x [rows, hiddenSize], fp32, as is y
 */
export function layerForward(
  decoder: PreparedDecoder,
  layer: number,
  x: Tensor,
  layout: Layout,
): { y: Tensor; state: LayerState } {
  return tf.tidy(() => {
    const name = `model.layers.${layer}`;
    const { dtype } = decoder;
    const { rmsNormEps } = decoder.config;
    const attentionNorm = inverseRms(x, rmsNormEps);
    const normed = norm(decoder, `${name}.input_layernorm`, x, attentionNorm);
    const { q, k, v } = queriesKeysValues(decoder, name, normed, layout);
    const { output: attended, states: segments } = attendSegments(q, k, v, layout.segments, dtype);
    const middle = plus(x, linearForward(decoder, `${name}.self_attn.o_proj`, attended));
    const mlpNorm = inverseRms(middle, rmsNormEps);
    const { gate, up, output } = mlp(decoder, name, norm(decoder, `${name}.post_attention_layernorm`, middle, mlpNorm));
    return { y: plus(middle, output), state: { x, attentionNorm, segments, attended, middle, mlpNorm, gate, up } };
  });
}

/** Adds the gradients of the layer's parameters and returns that of its input; the state is not disposed. */
export function layerBackward(
  decoder: PreparedDecoder,
  layer: number,
  dy: Tensor,
  state: LayerState,
  layout: Layout,
  gradients: Gradients,
): Tensor {
  return tf.tidy(() => {
    const dMiddle = mlpBackward(decoder, `model.layers.${layer}`, dy, state, gradients);
    return attentionBackward(decoder, `model.layers.${layer}`, dMiddle, state, layout, gradients);
  });
}

function queriesKeysValues(decoder: PreparedDecoder, name: string, normed: Tensor, layout: Layout) {
  const heads = (projection: string) =>
    reshape(linearForward(decoder, `${name}.self_attn.${projection}`, normed), [
      normed.shape[0]!,
      -1,
      decoder.config.headDim,
    ]);
  return {
    q: rotate(cast(heads('q_proj'), 'fp32'), layout.queryRotation),
    k: rotate(cast(heads('k_proj'), 'fp32'), layout.keyRotation),
    v: heads('v_proj'),
  };
}

function attentionBackward(
  decoder: PreparedDecoder,
  name: string,
  dMiddle: Tensor,
  { x, attentionNorm, attended, segments }: LayerState,
  layout: Layout,
  gradients: Gradients,
): Tensor {
  return tf.tidy(() => {
    const { dtype, config } = decoder;
    const dOutput = cast(dMiddle, dtype);
    const dAttended = linearBackward(decoder, `${name}.self_attn.o_proj`, attended, dOutput, gradients);
    const heads = attendSegmentsBackward(dAttended, attended, segments, layout.segments, config.headDim, dtype);
    const normed = norm(decoder, `${name}.input_layernorm`, x, attentionNorm);
    const back = (projection: string, dHeads: Tensor) =>
      cast(linearBackward(decoder, `${name}.self_attn.${projection}`, normed, flatHeads(dHeads), gradients), 'fp32');
    const turned = (dHeads: Tensor, rotation: Rotation) => cast(rotateBackward(cast(dHeads, 'fp32'), rotation), dtype);
    const dNormed = tf.addN([
      back('q_proj', turned(heads.dq, layout.queryRotation)),
      back('k_proj', turned(heads.dk, layout.keyRotation)),
      back('v_proj', heads.dv),
    ]);
    return tf.add(dMiddle, normBackward(decoder, `${name}.input_layernorm`, x, attentionNorm, dNormed, gradients));
  });
}

const flatHeads = (x: Tensor) => reshape(x, [x.shape[0]!, -1]);

/** SwiGLU: down(silu(gate(x)) * up(x)). */
function mlp(decoder: PreparedDecoder, name: string, normed: Tensor) {
  const gate = linearForward(decoder, `${name}.mlp.gate_proj`, normed);
  const up = linearForward(decoder, `${name}.mlp.up_proj`, normed);
  const gated = tf.tidy(() => {
    const wide = cast(gate, 'fp32');
    return cast(tf.mul(tf.mul(wide, tf.sigmoid(wide)), cast(up, 'fp32')), decoder.dtype);
  });
  return { gate, up, output: linearForward(decoder, `${name}.mlp.down_proj`, gated) };
}

/** Gradient of what goes into the norm before the MLP, by way of the MLP and past it. */
function mlpBackward(
  decoder: PreparedDecoder,
  name: string,
  dy: Tensor,
  { middle, mlpNorm, gate, up }: LayerState,
  gradients: Gradients,
): Tensor {
  return tf.tidy(() => {
    const { dGate, dUp } = gatedBackward(decoder, name, cast(dy, decoder.dtype), gate, up, gradients);
    const normed = norm(decoder, `${name}.post_attention_layernorm`, middle, mlpNorm);
    const dNormed = tf.add(
      cast(linearBackward(decoder, `${name}.mlp.gate_proj`, normed, dGate, gradients), 'fp32'),
      cast(linearBackward(decoder, `${name}.mlp.up_proj`, normed, dUp, gradients), 'fp32'),
    );
    return tf.add(dy, normBackward(decoder, `${name}.post_attention_layernorm`, middle, mlpNorm, dNormed, gradients));
  });
}

function gatedBackward(
  decoder: PreparedDecoder,
  name: string,
  dy: Tensor,
  gateOutput: Tensor,
  upOutput: Tensor,
  gradients: Gradients,
): { dGate: Tensor; dUp: Tensor } {
  return tf.tidy(() => {
    const { dtype } = decoder;
    const [gate, up] = [cast(gateOutput, 'fp32'), cast(upOutput, 'fp32')];
    const sigmoid = tf.sigmoid(gate);
    const silu = tf.mul(gate, sigmoid);
    const gated = cast(tf.mul(silu, up), dtype);
    const dGated = cast(linearBackward(decoder, `${name}.mlp.down_proj`, gated, dy, gradients), 'fp32');
    // d silu = sigmoid + gate * d sigmoid
    const dSilu = tf.add(sigmoid, sigmoidBackward(sigmoid, gate));
    return { dGate: cast(tf.mul(tf.mul(dGated, up), dSilu), dtype), dUp: cast(tf.mul(dGated, silu), dtype) };
  });
}

function plus(x: Tensor, y: Tensor): Tensor {
  return tf.tidy(() => tf.add(x, cast(y, 'fp32')));
}

function norm(decoder: PreparedDecoder, name: string, x: Tensor, inverse: Tensor): Tensor {
  const weight = decoder.weights.get(`${name}.weight`)!;
  return tf.tidy(() => cast(rmsNorm(x, weight, inverse), decoder.dtype));
}

function normBackward(
  decoder: PreparedDecoder,
  name: string,
  x: Tensor,
  inverse: Tensor,
  dy: Tensor,
  gradients: Gradients,
): Tensor {
  const { dx, dWeight } = rmsNormBackward(x, decoder.weights.get(`${name}.weight`)!, inverse, dy);
  gradients.add(`${name}.weight`, () => dWeight);
  return dx;
}
