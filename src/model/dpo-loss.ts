import type { DpoSettings } from '../training/engine/training-engine.js';
import { type Tensor, tf } from './tf.js';

export type DpoLossSettings = Pick<DpoSettings, 'beta' | 'sftWeight'>;

/** Of some pairs, each [pairs]: summed log-probabilities under policy and reference, and the chosen's token count. */
export interface DpoInputs {
  chosenLogps: Tensor;
  rejectedLogps: Tensor;
  referenceChosen: Tensor;
  referenceRejected: Tensor;
  chosenTokens: Tensor;
  /** Factor of the preference term, and label smoothing, of each pair: [pairs]. */
  weights: Tensor;
  labelSmoothing: Tensor;
}

export type DpoOutputs = {
  /** Each [pairs]. */
  losses: Tensor;
  chosenRewards: Tensor;
  rejectedRewards: Tensor;
  /** Gradients of each pair's own loss with respect to its log-probabilities. */
  dChosen: Tensor;
  dRejected: Tensor;
};

/**
 * DPO's sigmoid loss (arXiv 2305.18290, eq. 7) with label smoothing e (arXiv 2306.02231) and weight w, plus `sftWeight`
 * times the chosen's mean negative log-likelihood: with rewards r = beta (policy - reference) and margin s = r+ - r-,
 * loss = w (-(1 - e) log sigma(s) - e log sigma(-s)) - sftWeight logp+ / tokens.
 */
export function dpoLoss(inputs: DpoInputs, { beta, sftWeight }: DpoLossSettings): DpoOutputs {
  return tf.tidy(() => {
    const { chosenLogps, rejectedLogps, referenceChosen, referenceRejected, chosenTokens } = inputs;
    const { weights, labelSmoothing } = inputs;
    const kept = tf.sub(1, labelSmoothing);
    const chosenRewards = tf.mul(tf.sub(chosenLogps, referenceChosen), beta);
    const rejectedRewards = tf.mul(tf.sub(rejectedLogps, referenceRejected), beta);
    const margins = tf.sub(chosenRewards, rejectedRewards);
    const preference = tf.add(
      tf.mul(tf.logSigmoid(margins), tf.neg(kept)),
      tf.mul(tf.logSigmoid(tf.neg(margins)), tf.neg(labelSmoothing)),
    );
    const losses = tf.sub(tf.mul(weights, preference), tf.mul(tf.div(chosenLogps, chosenTokens), sftWeight));
    // d loss / d s = w (sigma(s) - (1 - e))
    const dMargins = tf.mul(tf.mul(weights, tf.sub(tf.sigmoid(margins), kept)), beta);
    const dChosen = tf.sub(dMargins, tf.div(sftWeight, chosenTokens));
    return { losses, chosenRewards, rejectedRewards, dChosen, dRejected: tf.neg(dMargins) };
  });
}
