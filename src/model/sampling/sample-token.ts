import { DriftError } from '../../drift-error.js';
import type { SampleSettings } from '../../training/engine/training-engine.js';

export type Choice = Pick<SampleSettings, 'temperature' | 'topP' | 'topK' | 'minP'>;

/** Logits of one row, after any penalty. */
export interface LogitRow {
  logits: Float32Array;
  max: number;
  /** log of the sum of exp(logit / temperature); unused at temperature 0. */
  logSum: number;
}

interface Candidate {
  id: number;
  /** Probability over that of the most probable token. */
  weight: number;
}

/**
 * Draws one token id, narrowing the choice as transformers does and in its order: temperature, then the `topK` most
 * probable (and what equals the last of them), then the smallest set of those that holds `topP` of their probability,
 * then those at least `minP` times as probable as the best.
 * @param uniform in [0, 1)
 * @throws DriftError `model-invalid` where the logits are not numbers
 */
export function sampleToken(row: LogitRow, settings: Choice, uniform: number): number {
  if (!Number.isFinite(row.max))
    throw new DriftError('model-invalid', 'The model computes logits that are not finite.');
  const { temperature, topK, topP, minP = 0 } = settings;
  if (temperature === 0) return row.logits.indexOf(row.max);
  const all = Math.exp(row.logSum - row.max / temperature);
  if (topK === 0 && topP >= 1 && minP === 0) return draw(ranked(row, temperature), uniform * all);
  const best = topK > 0 ? mostProbable(ranked(row, temperature), topK) : ranked(row, temperature);
  const kept: Candidate[] = [];
  let mass = 0;
  const enough = topP * (Array.isArray(best) ? sumOf(best) : all);
  for (const candidate of best) {
    if (kept.length > 0 && (mass >= enough || candidate.weight < minP)) break;
    kept.push(candidate);
    mass += candidate.weight;
  }
  return draw(kept, uniform * mass);
}

/** The candidate in whose share of the mass the number lies; the last one where rounding leads past it. */
function draw(candidates: Iterable<Candidate>, target: number): number {
  let rest = target;
  let last = -1;
  for (const { id, weight } of candidates) {
    last = id;
    rest -= weight;
    if (rest < 0) break;
  }
  return last;
}

function mostProbable(candidates: Iterable<Candidate>, count: number): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates) {
    if (kept.length >= count && candidate.weight < kept.at(-1)!.weight) break;
    kept.push(candidate);
  }
  return kept;
}

/** By falling probability, equals by id. Sorts no more of the row than is asked for: few tokens hold most of it. */
function* ranked({ logits, max }: LogitRow, temperature: number): Generator<Candidate> {
  let upper = Number.POSITIVE_INFINITY;
  for (let width = 4, found = 0; found < logits.length; width *= 2) {
    const lower = width > 1000 ? Number.NEGATIVE_INFINITY : max - width * temperature;
    const ids: number[] = [];
    for (let id = 0; id < logits.length; id++) if (logits[id]! >= lower && logits[id]! < upper) ids.push(id);
    ids.sort((a, b) => logits[b]! - logits[a]! || a - b);
    for (const id of ids) yield { id, weight: Math.exp((logits[id]! - max) / temperature) };
    found += ids.length;
    upper = lower;
  }
}

function sumOf(candidates: readonly Candidate[]): number {
  return candidates.reduce((sum, { weight }) => sum + weight, 0);
}
