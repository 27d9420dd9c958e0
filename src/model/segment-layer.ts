import type { Gradients } from './gradients.js';
import { layerOps } from './layer-ops/choose-ops.js';
import { cast, reshape } from './ops.js';
import type { PreparedDecoder } from './prepared-decoder.js';
import type { Rotation } from './rope.js';
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

/** What a layer's backward pass needs of its forward pass and cannot have again for an elementwise operation. */
export type LayerState = {
  x: Tensor;
  segments: SegmentState[];
  attended: Tensor;
  middle: Tensor;
  gate: Tensor;
  up: Tensor;
};

/**
 * One layer of a Llama or Qwen2 decoder: x + attention(norm(x)), then + mlp(norm(.)). What goes into products, and
 * comes out of them, has their precision; the sums between layers are fp32.
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
    const { q, k, v } = queriesKeysValues(decoder, name, norm(decoder, `${name}.input_layernorm`, x), layout);
    const { output: attended, states: segments } = attendSegments(q, k, v, layout.segments, decoder.dtype);
    const middle = layerOps.plus(x, linearForward(decoder, `${name}.self_attn.o_proj`, attended));
    const { gate, up, output } = mlp(decoder, name, norm(decoder, `${name}.post_attention_layernorm`, middle));
    return { y: layerOps.plus(middle, output), state: { x, segments, attended, middle, gate, up } };
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
    q: layerOps.rotate(heads('q_proj'), layout.queryRotation, 'fp32'),
    k: layerOps.rotate(heads('k_proj'), layout.keyRotation, 'fp32'),
    v: heads('v_proj'),
  };
}

function attentionBackward(
  decoder: PreparedDecoder,
  name: string,
  dMiddle: Tensor,
  { x, attended, segments }: LayerState,
  layout: Layout,
  gradients: Gradients,
): Tensor {
  return tf.tidy(() => {
    const { dtype, config } = decoder;
    const dOutput = cast(dMiddle, dtype);
    const dAttended = linearBackward(decoder, `${name}.self_attn.o_proj`, attended, dOutput, gradients);
    const { dq, dk, dv } = attendSegmentsBackward(dAttended, segments, layout.segments, config.headDim);
    const normed = norm(decoder, `${name}.input_layernorm`, x);
    const back = (projection: string, dHeads: Tensor) =>
      linearBackward(decoder, `${name}.self_attn.${projection}`, normed, flatHeads(dHeads), gradients);
    const dNormed = [
      back('q_proj', layerOps.rotateBackward(dq, layout.queryRotation)),
      back('k_proj', layerOps.rotateBackward(dk, layout.keyRotation)),
      back('v_proj', dv),
    ];
    return normBackward(decoder, `${name}.input_layernorm`, x, dNormed, dMiddle, gradients);
  });
}

const flatHeads = (x: Tensor) => reshape(x, [x.shape[0]!, -1]);

/** SwiGLU: down(silu(gate(x)) * up(x)). */
function mlp(decoder: PreparedDecoder, name: string, normed: Tensor) {
  const gate = linearForward(decoder, `${name}.mlp.gate_proj`, normed);
  const up = linearForward(decoder, `${name}.mlp.up_proj`, normed);
  return { gate, up, output: linearForward(decoder, `${name}.mlp.down_proj`, layerOps.swiglu(gate, up)) };
}

/** Gradient of what goes into the norm before the MLP, by way of the MLP and past it. */
function mlpBackward(
  decoder: PreparedDecoder,
  name: string,
  dy: Tensor,
  { middle, gate, up }: LayerState,
  gradients: Gradients,
): Tensor {
  return tf.tidy(() => {
    const gated = layerOps.swiglu(gate, up);
    const dGated = linearBackward(decoder, `${name}.mlp.down_proj`, gated, cast(dy, decoder.dtype), gradients);
    const { dGate, dUp } = layerOps.swigluBackward(gate, up, dGated);
    const normed = norm(decoder, `${name}.post_attention_layernorm`, middle);
    const dNormed = [
      linearBackward(decoder, `${name}.mlp.gate_proj`, normed, dGate, gradients),
      linearBackward(decoder, `${name}.mlp.up_proj`, normed, dUp, gradients),
    ];
    return normBackward(decoder, `${name}.post_attention_layernorm`, middle, dNormed, dy, gradients);
  });
}

function norm({ weights, config, dtype }: PreparedDecoder, name: string, x: Tensor): Tensor {
  return layerOps.norm(x, weights.get(`${name}.weight`)!, config.rmsNormEps, dtype);
}

function normBackward(
  { weights, config }: PreparedDecoder,
  name: string,
  x: Tensor,
  dys: readonly Tensor[],
  past: Tensor,
  gradients: Gradients,
): Tensor {
  const { dx, dWeight } = layerOps.normBackward(x, weights.get(`${name}.weight`)!, config.rmsNormEps, dys, past);
  gradients.add(`${name}.weight`, dWeight);
  return dx;
}
