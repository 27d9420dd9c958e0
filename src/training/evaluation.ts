import { z } from 'zod';

/** Margins and rewards over fixed pairs against a frozen policy; margin = chosen reward - rejected reward. */
export const pairScoresSchema = z.object({
  pairs: z.number().int(),
  marginMean: z.number(),
  marginP10: z.number(),
  marginP50: z.number(),
  marginP90: z.number(),
  chosenReward: z.number(),
  rejectedReward: z.number(),
  /** Share of pairs with a margin above 0. */
  accuracy: z.number(),
});
export type PairScores = z.output<typeof pairScoresSchema>;

/** Outcome of the `evaluate` stage. Metrics read it from `run_stages.outcome`; it may hold more than this. */
export const evaluationSchema = z.object({
  /** The run's held-out pairs against its starting policy; null without held-out anchors. */
  heldOut: pairScoresSchema.nullable(),
  /** The iteration's training pairs against the policy at the iteration's start. */
  train: pairScoresSchema,
});
export type Evaluation = z.output<typeof evaluationSchema>;
