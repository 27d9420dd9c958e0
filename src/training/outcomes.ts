import type { Refusal } from './sampling/verify-positive.js';

/** What `run_stages.outcome` holds for each stage: `docs/training.md` describes it. Rewards are beta x difference of logps. */
export interface PlanOutcome {
  anchors: { active: number; new: number; train: number; heldOut: number; spare: number };
  /** Anchors that cannot be trained on, by reason. */
  dropped: Record<string, number>;
}

export interface MarginSummary {
  pairs: number;
  marginMean: number;
  marginP10: number;
  marginP50: number;
  marginP90: number;
  /** 95 % bootstrap interval of the mean over anchors. */
  marginLow: number;
  marginHigh: number;
  chosenReward: number;
  rejectedReward: number;
  /** Share of pairs with a margin above 0. */
  accuracy: number;
}

export interface SampleOutcome {
  anchors: number;
  pairs: number;
  /** Samples drawn, tries that failed included. */
  samples: number;
  /** Pairs whose chosen was cut off at the budget. */
  unfinished: number;
  /** Pairs whose rejected was cut off at the budget. */
  rejectedCut: number;
  /** Samples that failed verification, by reason. */
  refusals: Partial<Record<Refusal, number>>;
  /** Anchors without a pair in this iteration, by the reason of their last try. */
  dropped: Record<string, number>;
}

export interface PairOutcome {
  pairs: number;
  reference: 'start' | 'seed' | 'base';
  chosenTokens: number;
  rejectedTokens: number;
  /** Of an iteration; null where the reply judge could not say. */
  replies?: RepliesOutcome | null;
}

/** What the reply judge expects of pairs before they are trained on. */
export interface RepliesOutcome {
  /** Its version. */
  judge: string;
  pairs: number;
  /** Share of pairs whose chosen it prefers to rejected. */
  improved: number;
  /** Mean P(displeases), 0 to 1. */
  chosenDispleases: number;
  rejectedDispleases: number;
}

export interface TrainOutcome {
  steps: number;
  /** Times the epochs: each counts as it was when its batch came. */
  pairs: number;
  lossMean: number;
  lossFirst: number;
  lossLast: number;
  marginMean: number;
  marginP10: number;
  marginP50: number;
  marginP90: number;
  chosenReward: number;
  rejectedReward: number;
  accuracy: number;
}

export interface WarmStartOutcome {
  pairs: number;
  train: TrainOutcome;
  /** Against the run's starting policy. */
  heldOut: MarginSummary;
}

export interface EvaluateOutcome {
  /** Against the run's starting policy. */
  heldOut: MarginSummary & {
    /** Mean margin against the policy at the start of the iteration. */
    marginFromIterationStart: number;
  };
  /** The training pairs of all iterations, final against starting policy; of the last iteration only. */
  rescored?: MarginSummary;
  train: TrainOutcome;
}

export interface GateOutcome {
  decision: 'publish';
  why: string;
}

export interface PublishOutcome {
  version: string;
  uri: string;
}
