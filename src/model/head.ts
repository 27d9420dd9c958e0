import type { Decoder } from './decoder-layer.js';
import type { Gradients } from './gradients.js';
import { MAT_MULS } from './mat-mul.js';
import { sparseCrossEntropy } from './native.js';
import { type Tensor, tf } from './tf.js';
import { outputName } from './weights.js';

/** Rows of logits at once: at a vocabulary of 49,152 that is 100 MB. */
const CHUNK = 512;

/** Logits [rows, vocab]; in fp32 whatever the other products are, as bf16 would round them by up to 0.06. */
export function logitsOf(decoder: Decoder, hidden: Tensor): Tensor {
  return MAT_MULS.fp32(hidden, outputTable(decoder), false, true);
}

/** Log-probability of each label [rows]. */
export function labelLogprobs(decoder: Decoder, hidden: Tensor, labels: Tensor): Tensor {
  return tf.tidy(() => {
    const losses = chunksOf(hidden, labels).map(([h, l]) => tf.tidy(() => crossEntropy(decoder, h, l).losses));
    return tf.neg(tf.concat(losses));
  });
}

/** What the head's backward pass needs. It owns its tensors. */
export type HeadTape = {
  hidden: Tensor;
  /** Of the losses' sum with respect to the logits, in chunks of rows. */
  dLogits: Tensor[];
};

/** The same, keeping what `headBackward` needs, `hidden` included. */
export function trainingLogprobs(
  decoder: Decoder,
  hidden: Tensor,
  labels: Tensor,
): { logprobs: Tensor; tape: HeadTape } {
  return tf.tidy(() => {
    const chunks = chunksOf(hidden, labels).map(([h, l]) => tf.tidy(() => crossEntropy(decoder, h, l)));
    const logprobs = tf.neg(tf.concat(chunks.map(({ losses }) => losses)));
    return { logprobs, tape: { hidden, dLogits: chunks.map(({ gradient }) => gradient) } };
  });
}

/** Given the loss's gradient with respect to each log-probability [rows], returns that of the hidden states; uses the tape up. */
export function headBackward(decoder: Decoder, tape: HeadTape, dLogprobs: Tensor, gradients: Gradients): Tensor {
  const parts = tape.dLogits.map((dLoss, i) => {
    const range = [i * CHUNK, dLoss.shape[0]!] as const;
    const dLogits = tf.tidy(() => tf.mul(dLoss, tf.neg(tf.expandDims(tf.slice(dLogprobs, ...range), 1))));
    dLoss.dispose();
    gradients.add(outputName(decoder.config), () =>
      tf.tidy(() => decoder.matMul(dLogits, tf.slice(tape.hidden, ...range), true)),
    );
    const dHidden = decoder.matMul(dLogits, outputTable(decoder));
    dLogits.dispose();
    return dHidden;
  });
  const dHidden = tf.concat(parts, 0);
  tf.dispose([parts, tape.hidden]);
  return dHidden;
}

function crossEntropy(decoder: Decoder, hidden: Tensor, labels: Tensor) {
  return sparseCrossEntropy(logitsOf(decoder, hidden), labels);
}

function chunksOf(hidden: Tensor, labels: Tensor): [Tensor, Tensor][] {
  const rows = hidden.shape[0]!;
  const starts = Array.from({ length: Math.ceil(rows / CHUNK) }, (_, i) => i * CHUNK);
  return starts.map((start) => {
    const length = Math.min(CHUNK, rows - start);
    return [tf.slice(hidden, start, length), tf.slice(labels, start, length)];
  });
}

function outputTable(decoder: Decoder): Tensor {
  return decoder.weights.get(outputName(decoder.config))!;
}
