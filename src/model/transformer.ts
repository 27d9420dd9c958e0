import { attend, type Segment } from './attention.js';
import {
  type Attention,
  type Decoder,
  decoderLayer,
  decoderLayerBackward,
  decoderLayerForTraining,
  type LayerState,
} from './decoder-layer.js';
import type { Gradients } from './gradients.js';
import { rmsNorm, rmsNormBackward } from './rms-norm.js';
import { type Rotation, rotationOf } from './rope.js';
import { type Tensor, type Tensor1D, tf } from './tf.js';
import { EMBEDDING, FINAL_NORM } from './weights.js';

/** Tokens in one row; who sees whom is the segments' business. */
export interface Rows {
  ids: readonly number[];
  positions: readonly number[];
}

/** What a backward pass needs. It owns its tensors. */
export type Tape = {
  ids: Tensor1D;
  rotation: Rotation;
  segments: readonly Segment[];
  states: LayerState[];
  last: Tensor;
};

/** Final hidden states [rows, hiddenSize], normed, with attention as the caller defines it. */
export function hiddenStates(decoder: Decoder, { ids, positions }: Rows, attention: Attention): Tensor {
  return tf.tidy(() => {
    const { layers } = decoder.config;
    const rotation = rotationOf(positions, decoder.config);
    let x = embed(decoder, tf.tensor1d([...ids], 'int32'));
    for (let layer = 0; layer < layers; layer++) {
      const y = decoderLayer(decoder, layer, x, rotation, attention);
      x.dispose();
      x = y;
    }
    return finalNorm(decoder, x);
  });
}

/** The same within segments. */
export function segmentHiddenStates(decoder: Decoder, rows: Rows, segments: readonly Segment[]): Tensor {
  return hiddenStates(decoder, rows, (q, k, v) => attend(q, k, v, segments).output);
}

/** The same, keeping what `backward` needs. */
export function trainingHiddenStates(
  decoder: Decoder,
  rows: Rows,
  segments: readonly Segment[],
): { hidden: Tensor; tape: Tape } {
  const { layers } = decoder.config;
  const ids = tf.tensor1d([...rows.ids], 'int32');
  const rotation = rotationOf(rows.positions, decoder.config);
  const states: LayerState[] = [];
  let x = embed(decoder, ids);
  for (let layer = 0; layer < layers; layer++) {
    const { y, state } = decoderLayerForTraining(decoder, layer, x, rotation, segments);
    states.push(state);
    x = y;
  }
  return { hidden: finalNorm(decoder, x), tape: { ids, rotation, segments, states, last: x } };
}

/** Adds all gradients below the final hidden states, whose own gradient is `dHidden`; uses the tape up. */
export function backward(decoder: Decoder, tape: Tape, dHidden: Tensor, gradients: Gradients): void {
  const { config, weights } = decoder;
  const { dx, dWeight } = rmsNormBackward(tape.last, weights.get(FINAL_NORM)!, config.rmsNormEps, dHidden);
  gradients.add(FINAL_NORM, dWeight);
  let dy = dx;
  for (let layer = config.layers - 1; layer >= 0; layer--) {
    const state = tape.states[layer]!;
    const below = decoderLayerBackward(decoder, layer, dy, state, tape.rotation, tape.segments, gradients);
    tf.dispose([dy, state]);
    dy = below;
  }
  gradients.add(EMBEDDING, () => tf.unsortedSegmentSum(dy, tape.ids, config.vocabSize));
  tf.dispose([dy, tape.last, tape.ids, tape.rotation]);
}

function embed(decoder: Decoder, ids: Tensor): Tensor {
  return tf.gather(decoder.weights.get(EMBEDDING)!, ids);
}

function finalNorm(decoder: Decoder, x: Tensor): Tensor {
  return rmsNorm(x, decoder.weights.get(FINAL_NORM)!, decoder.config.rmsNormEps);
}
