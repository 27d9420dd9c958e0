import type { Decoder } from './decoder.js';
import type { Gradients } from './gradients.js';
import { sparseCrossEntropy } from './native.js';
import { cast, matMul, slice } from './ops.js';
import type { PreparedDecoder } from './prepared-decoder.js';
import { type Tensor, tf } from './tf.js';
import { MAX_LOGIT_ROWS } from './training-memory.js';
import { outputName } from './weights.js';

/** Logits [rows, vocab]; in fp32 whatever the other products are, as bf16 would round them by up to 0.06. */
export function logitsOf(decoder: Decoder, hidden: Tensor): Tensor {
  return matMul(hidden, outputTable(decoder), false, true);
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
  /** Of the losses' sum with respect to the logits, in chunks of rows, in the products' precision. */
  dLogits: Tensor[];
};

/** The same, keeping what `headBackward` needs, `hidden` included. */
export function trainingLogprobs(
  decoder: PreparedDecoder,
  hidden: Tensor,
  labels: Tensor,
): { logprobs: Tensor; tape: HeadTape } {
  return tf.tidy(() => {
    const chunks = chunksOf(hidden, labels).map(([h, l]) =>
      tf.tidy(() => {
        const { losses, gradient } = crossEntropy(decoder, h, l);
        return { losses, dLogits: cast(gradient, decoder.dtype) };
      }),
    );
    const logprobs = tf.neg(tf.concat(chunks.map(({ losses }) => losses)));
    return { logprobs, tape: { hidden, dLogits: chunks.map(({ dLogits }) => dLogits) } };
  });
}

/**
 * Given the loss's gradient with respect to each log-probability [rows], returns that of the hidden states; uses the
 * tape up. The factors of the rows are applied to hidden states, which are narrower than logits.
 */
export function headBackward(
  decoder: PreparedDecoder,
  tape: HeadTape,
  dLogprobs: Tensor,
  gradients: Gradients,
): Tensor {
  const name = outputName(decoder.config);
  const dHidden = tf.tidy(() => {
    const factors = tf.neg(tf.expandDims(dLogprobs, 1));
    const hidden = cast(tf.mul(tape.hidden, factors), decoder.dtype);
    const parts = tape.dLogits.map((dLogits, i) => {
      const rows = slice(hidden, i * MAX_LOGIT_ROWS, dLogits.shape[0]!);
      gradients.add(name, () => matMul(dLogits, rows, true));
      const part = cast(matMul(dLogits, decoder.products.get(name)!), 'fp32');
      dLogits.dispose();
      return part;
    });
    return tf.mul(tf.concat(parts, 0), factors);
  });
  tape.hidden.dispose();
  return dHidden;
}

function crossEntropy(decoder: Decoder, hidden: Tensor, labels: Tensor) {
  return sparseCrossEntropy(logitsOf(decoder, hidden), labels);
}

function chunksOf(hidden: Tensor, labels: Tensor): [Tensor, Tensor][] {
  const rows = hidden.shape[0]!;
  const starts = Array.from({ length: Math.ceil(rows / MAX_LOGIT_ROWS) }, (_, i) => i * MAX_LOGIT_ROWS);
  return starts.map((start) => {
    const length = Math.min(MAX_LOGIT_ROWS, rows - start);
    return [tf.slice(hidden, start, length), tf.slice(labels, start, length)];
  });
}

function outputTable(decoder: Decoder): Tensor {
  return decoder.weights.get(outputName(decoder.config))!;
}
