import { attend, attendBackward, type Segment, type SegmentState } from './attention.js';
import type { Gradients } from './gradients.js';
import { type Linears, linear, linearBackward } from './linear.js';
import type { ModelConfig } from './model-config.js';
import { rmsNorm, rmsNormBackward } from './rms-norm.js';
import { type Rotation, rotate, rotateBackward } from './rope.js';
import { type Tensor, tf } from './tf.js';

export interface Decoder extends Linears {
  config: ModelConfig;
}

/** Queries, keys and values of some rows in, attended values [rows, heads * headDim] out. */
export type Attention = (q: Tensor, k: Tensor, v: Tensor, layer: number) => Tensor;

/** What a layer's backward pass needs of its forward pass and cannot have again for a few elementwise operations. */
export type LayerState = {
  x: Tensor;
  attended: Tensor;
  segments: SegmentState[];
  middle: Tensor;
  gate: Tensor;
  up: Tensor;
};

/** One layer of a Llama or Qwen2 decoder: x + attention(norm(x)), then + mlp(norm(.)); x [rows, hiddenSize]. */
export function decoderLayer(
  decoder: Decoder,
  layer: number,
  x: Tensor,
  rotation: Rotation,
  attention: Attention,
): Tensor {
  return tf.tidy(() => {
    const name = `model.layers.${layer}`;
    const { q, k, v } = queriesKeysValues(decoder, name, norm(decoder, `${name}.input_layernorm`, x), rotation);
    const middle = tf.add(x, linear(decoder, `${name}.self_attn.o_proj`, attention(q, k, v, layer)));
    return tf.add(middle, mlp(decoder, name, norm(decoder, `${name}.post_attention_layernorm`, middle)).output);
  });
}

/** The same, within segments, keeping what the backward pass needs. */
export function decoderLayerForTraining(
  decoder: Decoder,
  layer: number,
  x: Tensor,
  rotation: Rotation,
  segments: readonly Segment[],
): { y: Tensor; state: LayerState } {
  return tf.tidy(() => {
    const name = `model.layers.${layer}`;
    const normed = norm(decoder, `${name}.input_layernorm`, x);
    const { q, k, v } = queriesKeysValues(decoder, name, normed, rotation);
    const { output: attended, states } = attend(q, k, v, segments);
    const middle = tf.add(x, linear(decoder, `${name}.self_attn.o_proj`, attended));
    const { gate, up, output } = mlp(decoder, name, norm(decoder, `${name}.post_attention_layernorm`, middle));
    return { y: tf.add(middle, output), state: { x, attended, segments: states, middle, gate, up } };
  });
}

/** Adds the gradients of the layer's parameters and returns that of its input; the state is not disposed. */
export function decoderLayerBackward(
  decoder: Decoder,
  layer: number,
  dy: Tensor,
  state: LayerState,
  rotation: Rotation,
  segments: readonly Segment[],
  gradients: Gradients,
): Tensor {
  return tf.tidy(() => {
    const name = `model.layers.${layer}`;
    const dMiddle = tf.add(dy, mlpBackward(decoder, name, dy, state, gradients));
    const { x, attended } = state;
    const dAttended = linearBackward(decoder, `${name}.self_attn.o_proj`, attended, dMiddle, gradients);
    const { dq, dk, dv } = attendBackward(dAttended, attended, state.segments, segments, decoder.config.headDim);
    const normed = norm(decoder, `${name}.input_layernorm`, x);
    const back = (projection: string, dHeads: Tensor) =>
      linearBackward(decoder, `${name}.self_attn.${projection}`, normed, flatHeads(dHeads), gradients);
    const dNormed = tf.addN([
      back('q_proj', rotateBackward(dq, rotation)),
      back('k_proj', rotateBackward(dk, rotation)),
      back('v_proj', dv),
    ]);
    return tf.add(dMiddle, normBackward(decoder, `${name}.input_layernorm`, x, dNormed, gradients));
  });
}

function queriesKeysValues(decoder: Decoder, name: string, normed: Tensor, rotation: Rotation) {
  const heads = (projection: string) =>
    tf.reshape(linear(decoder, `${name}.self_attn.${projection}`, normed), [
      normed.shape[0]!,
      -1,
      decoder.config.headDim,
    ]);
  return { q: rotate(heads('q_proj'), rotation), k: rotate(heads('k_proj'), rotation), v: heads('v_proj') };
}

const flatHeads = (x: Tensor) => tf.reshape(x, [x.shape[0]!, -1]);

/** SwiGLU: down(silu(gate(x)) * up(x)). */
function mlp(decoder: Decoder, name: string, normed: Tensor) {
  const gate = linear(decoder, `${name}.mlp.gate_proj`, normed);
  const up = linear(decoder, `${name}.mlp.up_proj`, normed);
  const gated = tf.mul(tf.mul(gate, tf.sigmoid(gate)), up);
  return { gate, up, output: linear(decoder, `${name}.mlp.down_proj`, gated) };
}

/** Gradient of what goes into the norm before the MLP. */
function mlpBackward(decoder: Decoder, name: string, dy: Tensor, state: LayerState, gradients: Gradients): Tensor {
  return tf.tidy(() => {
    const { gate, up, middle } = state;
    const sigmoid = tf.sigmoid(gate);
    const silu = tf.mul(gate, sigmoid);
    const dGated = linearBackward(decoder, `${name}.mlp.down_proj`, tf.mul(silu, up), dy, gradients);
    // d silu = sigmoid + silu * (1 - sigmoid)
    const dSilu = tf.add(sigmoid, tf.mul(silu, tf.sub(1, sigmoid)));
    const dGate = tf.mul(tf.mul(dGated, up), dSilu);
    const normed = norm(decoder, `${name}.post_attention_layernorm`, middle);
    const dNormed = tf.add(
      linearBackward(decoder, `${name}.mlp.gate_proj`, normed, dGate, gradients),
      linearBackward(decoder, `${name}.mlp.up_proj`, normed, tf.mul(dGated, silu), gradients),
    );
    return normBackward(decoder, `${name}.post_attention_layernorm`, middle, dNormed, gradients);
  });
}

function norm(decoder: Decoder, name: string, x: Tensor): Tensor {
  return rmsNorm(x, decoder.weights.get(`${name}.weight`)!, decoder.config.rmsNormEps);
}

function normBackward(decoder: Decoder, name: string, x: Tensor, dy: Tensor, gradients: Gradients): Tensor {
  const { dx, dWeight } = rmsNormBackward(x, decoder.weights.get(`${name}.weight`)!, decoder.config.rmsNormEps, dy);
  gradients.add(`${name}.weight`, dWeight);
  return dx;
}
