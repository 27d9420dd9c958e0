import { z } from 'zod';

const pairScoresSchema = z.object({
  marginMean: z.number(),
  marginP10: z.number(),
  marginP50: z.number(),
  marginP90: z.number(),
  chosenReward: z.number(),
  rejectedReward: z.number(),
  accuracy: z.number(),
});
export type PairScores = z.output<typeof pairScoresSchema>;

/** What the metrics read of `WarmStartOutcome` and `EvaluateOutcome`, as they come back from `run_stages.outcome`. */
export const evaluationSchema = z.object({
  heldOut: pairScoresSchema,
  rescored: pairScoresSchema.optional(),
  train: pairScoresSchema,
});

/** The same of `RepliesOutcome`. */
export const repliesSchema = z.object({
  improved: z.number(),
  chosenDispleases: z.number(),
  rejectedDispleases: z.number(),
});
