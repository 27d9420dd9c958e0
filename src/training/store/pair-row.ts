import type { FinishReason, PairLogps, TokenPair } from '../engine/training-engine.js';
import type { Refusal } from '../sampling/verify-positive.js';

export const PAIR_SPLITS = ['warm-start', 'train', 'held-out'] as const;
export type PairSplit = (typeof PAIR_SPLITS)[number];

/** How the chosen of a pair came about; null for seed pairs, whose chosen is in the logs. */
export interface SamplingFacts {
  mode: 'guided' | 'unguided';
  seed: number;
  /** Which try passed, from 1. */
  try: number;
  finish: FinishReason;
  /** Why the tries before it did not. */
  refusals: Refusal[];
}

export interface Replies {
  before?: string;
  after?: string;
}

/** Log-probabilities, summed over the completion, under the policies that matter. */
export interface PairScores {
  /** Of the reference in the loss. */
  reference?: PairLogps;
  /** Of the run's starting policy. */
  start?: PairLogps;
  /** Of the policy after each iteration; 0 is after the warm start. */
  after?: Record<string, PairLogps>;
  /** Replies of the run's starting and final policy to the bare prompt; held-out pairs only. */
  replies?: Replies;
}

/** A row of `pairs`: its prompt is the bare one, whatever the chosen was sampled from. */
export interface PairRow extends TokenPair {
  anchorId: string;
  position: number;
  promptIds: number[];
  chosenIds: number[];
  rejectedIds: number[];
  /** As text, without EOS. */
  chosen: string;
  rejected: string;
  sampling: SamplingFacts | null;
  scores: PairScores;
}
