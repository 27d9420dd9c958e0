import type { Gradients } from './gradients.js';
import { layerOps } from './layer-ops/choose-ops.js';
import type { PreparedDecoder } from './prepared-decoder.js';
import { rotationOf, scaledRotation } from './rope.js';
import type { Segment } from './segment-attention.js';
import { type LayerState, type Layout, layerBackward, layerForward } from './segment-layer.js';
import { type Tensor, type Tensor1D, tf } from './tf.js';
import { EMBEDDING, FINAL_NORM } from './weights.js';

/** Tokens in one row, and which of them are a sequence. */
export interface SegmentedRows {
  ids: readonly number[];
  positions: readonly number[];
  segments: readonly Segment[];
}

/** What a backward pass needs. It owns its tensors. */
export type Tape = {
  ids: Tensor1D;
  layout: Layout;
  /** Inputs of the layers alone, where their states are to be computed again. */
  states: (LayerState | { x: Tensor })[];
  last: Tensor;
};

/** Final hidden states [rows, hiddenSize], normed, fp32. */
export function segmentHiddenStates(decoder: PreparedDecoder, rows: SegmentedRows): Tensor {
  return tf.tidy(() => {
    const layout = layoutOf(decoder, rows);
    let x = embed(decoder, tf.tensor1d([...rows.ids], 'int32'));
    for (let layer = 0; layer < decoder.config.layers; layer++) {
      const y = tf.tidy(() => layerForward(decoder, layer, x, layout).y);
      x.dispose();
      x = y;
    }
    return finalNorm(decoder, x);
  });
}

/**
 * The same, keeping what `backward` needs.
 * @param recompute keeps only the layers' inputs; their forward pass is then done again in the backward pass (arXiv
 *   1604.06174): a third more work, and the memory of one layer instead of all
 */
export function trainingHiddenStates(
  decoder: PreparedDecoder,
  rows: SegmentedRows,
  recompute: boolean,
): { hidden: Tensor; tape: Tape } {
  const ids = tf.tensor1d([...rows.ids], 'int32');
  const layout = layoutOf(decoder, rows);
  const states: Tape['states'] = [];
  let x = embed(decoder, ids);
  for (let layer = 0; layer < decoder.config.layers; layer++) {
    const { y, state } = layerForward(decoder, layer, x, layout);
    states.push(recompute ? inputOnly(state) : state);
    x = y;
  }
  return { hidden: finalNorm(decoder, x), tape: { ids, layout, states, last: x } };
}

function inputOnly({ x, ...others }: LayerState): { x: Tensor } {
  tf.dispose(others);
  return { x };
}

/** Adds all gradients below the final hidden states, whose own gradient is `dHidden`; uses the tape up. */
export function backward(decoder: PreparedDecoder, tape: Tape, dHidden: Tensor, gradients: Gradients): void {
  const { config } = decoder;
  let dy = finalNormBackward(decoder, tape.last, dHidden, gradients);
  tape.last.dispose();
  for (let layer = config.layers - 1; layer >= 0; layer--) {
    const state = wholeState(decoder, layer, tape);
    const below = layerBackward(decoder, layer, dy, state, tape.layout, gradients);
    tf.dispose([dy, state]);
    dy = below;
  }
  gradients.addRows(EMBEDDING, config.vocabSize, tape.ids, dy);
  tf.dispose([dy, tape.ids, tape.layout.keyRotation, tape.layout.queryRotation]);
}

function wholeState(decoder: PreparedDecoder, layer: number, tape: Tape): LayerState {
  const state = tape.states[layer]!;
  if ('gate' in state) return state;
  const again = layerForward(decoder, layer, state.x, tape.layout);
  again.y.dispose();
  return again.state;
}

function layoutOf({ config }: PreparedDecoder, { positions, segments }: SegmentedRows): Layout {
  const keyRotation = rotationOf(positions, config);
  return { segments, keyRotation, queryRotation: scaledRotation(keyRotation, 1 / Math.sqrt(config.headDim)) };
}

function embed(decoder: PreparedDecoder, ids: Tensor): Tensor {
  return tf.gather(decoder.weights.get(EMBEDDING)!, ids);
}

function finalNorm({ weights, config }: PreparedDecoder, x: Tensor): Tensor {
  return layerOps.norm(x, weights.get(FINAL_NORM)!, config.rmsNormEps, 'fp32');
}

function finalNormBackward(decoder: PreparedDecoder, x: Tensor, dHidden: Tensor, gradients: Gradients): Tensor {
  return tf.tidy(() => {
    const { weights, config } = decoder;
    const nothing = tf.zerosLike(x);
    const { dx, dWeight } = layerOps.normBackward(x, weights.get(FINAL_NORM)!, config.rmsNormEps, [dHidden], nothing);
    gradients.add(FINAL_NORM, dWeight);
    return dx;
  });
}
