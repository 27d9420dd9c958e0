import { z } from 'zod';
import { contentSchema } from './content.js';
import { FEEDBACK_KINDS, ROLES } from './turn.js';

export const TURN_SCHEMA = 'driftloop.turn.v1';
export const FEEDBACK_SCHEMA = 'driftloop.feedback.v1';

/** PostgreSQL's integer. */
const MAX_TURN = 2 ** 31 - 1;

export const conversationIdSchema = z.string().min(1).max(512);
const turnIndexSchema = z.int().min(0).max(MAX_TURN);
/** RFC 3339. */
export const timeSchema = z.iso.datetime({ offset: true });

export const feedbackSchema = z.object({
  kind: z.enum(FEEDBACK_KINDS),
  /** What the kind needs: up or down, a number of stars, the edited text; nothing for regenerate and copy. */
  value: z.union([z.string(), z.number(), z.boolean()]).nullish(),
});

/** One turn of a conversation. The record's key is the conversation id, which keeps its turns in order. */
export const turnEventSchema = z.object({
  schema: z.literal(TURN_SCHEMA),
  conversationId: conversationIdSchema,
  turn: turnIndexSchema,
  role: z.enum(ROLES),
  content: contentSchema,
  occurredAt: timeSchema,
  userId: z.string().nullish(),
  tenant: z.string().nullish(),
  /** Who wrote an assistant turn. */
  policyVersion: z.string().nullish(),
  model: z.string().nullish(),
  feedback: feedbackSchema.nullish(),
  /** The cohorts that the conversation belongs to. */
  metadata: z.record(z.string(), z.string()).nullish(),
});
export type TurnEvent = z.input<typeof turnEventSchema>;

/** Feedback on a turn that was sent already, or will be. */
export const feedbackEventSchema = z.object({
  schema: z.literal(FEEDBACK_SCHEMA),
  conversationId: conversationIdSchema,
  turn: turnIndexSchema,
  feedback: feedbackSchema,
  occurredAt: timeSchema,
});
export type FeedbackEvent = z.input<typeof feedbackEventSchema>;
