import type { SampleSettings } from '../training/engine/training-engine.js';

type Choice = Pick<SampleSettings, 'temperature' | 'topP' | 'topK'>;

/**
 * Draws one token id from a row of logits: temperature first, then the `topK` most probable, then the smallest set of
 * those that holds `topP` of the probability, as transformers orders them.
 * @param uniform in [0, 1)
 */
export function sampleToken(logits: Float32Array, settings: Choice, uniform: number): number {
  if (settings.temperature === 0) return argMax(logits);
  const ids = candidates(logits, settings);
  const best = logits[ids[0]!]!;
  const weights = ids.map((id) => Math.exp((logits[id]! - best) / settings.temperature));
  const nucleus = settings.topP < 1 ? nucleusSize(weights, settings.topP) : ids.length;
  let rest = uniform * sum(weights, nucleus);
  const drawn = weights.findIndex((weight, i) => {
    rest -= weight;
    return rest < 0 || i === nucleus - 1;
  });
  return ids[drawn]!;
}

export function argMax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/**
 * Ids by falling logit, ties by id. What is too improbable to matter is left out before the sort: together less than
 * 1e-7 of the probability, which is below a float32's spacing.
 */
function candidates(logits: Float32Array, { temperature, topK }: Choice): number[] {
  const floor = logits[argMax(logits)]! - temperature * Math.log(logits.length * 1e7);
  const ids: number[] = [];
  for (let id = 0; id < logits.length; id++) if (logits[id]! >= floor) ids.push(id);
  ids.sort((a, b) => logits[b]! - logits[a]! || a - b);
  return topK > 0 ? ids.slice(0, topK) : ids;
}

/** The fewest leading weights that hold the share. */
function nucleusSize(weights: readonly number[], share: number): number {
  let missing = share * sum(weights, weights.length);
  const last = weights.findIndex((weight) => {
    missing -= weight;
    return missing <= 0;
  });
  return last === -1 ? weights.length : last + 1;
}

function sum(weights: readonly number[], count: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += weights[i]!;
  return total;
}
