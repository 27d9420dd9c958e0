import { z } from 'zod';
import { contentSchema } from './content.js';
import { FEEDBACK_KINDS, ROLES } from './turn.js';

export const TURN_SCHEMA = 'driftloop.turn.v1';
export const FEEDBACK_SCHEMA = 'driftloop.feedback.v1';

/** PostgreSQL's integer. */
const MAX_TURN = 2 ** 31 - 1;

/** The media type that names an event of ours in the header `content-type`. */
export const contentTypeOf = (schema: string) => `application/vnd.${schema}+json`;

export const conversationIdSchema = z.string().min(1).max(512);
const turnIndexSchema = z.int().min(0).max(MAX_TURN);
/** RFC 3339. */
export const timeSchema = z.iso.datetime({ offset: true });

export const feedbackSchema = z.object({
  kind: z.enum(FEEDBACK_KINDS),
  value: z
    .union([z.string(), z.number(), z.boolean()])
    .nullish()
    .describe('What the kind needs: up or down, a number of stars, the edited text; nothing for regenerate and copy.'),
});

/** One turn of a conversation. The record's key is the conversation id, which keeps its turns in order. */
export const turnEventSchema = z.object({
  schema: z.literal(TURN_SCHEMA),
  conversationId: conversationIdSchema.describe('The key of the record, too.'),
  turn: turnIndexSchema.describe('Index in the conversation, from 0.'),
  role: z.enum(ROLES),
  content: contentSchema.describe('Text, or content parts as OpenAI has them.'),
  occurredAt: timeSchema.describe('RFC 3339, with offset.'),
  userId: z.string().nullish(),
  tenant: z.string().nullish(),
  policyVersion: z.string().nullish().describe('Who wrote an assistant turn.'),
  model: z.string().nullish(),
  feedback: feedbackSchema.nullish().describe('What the user did about the turn, besides answering it.'),
  metadata: z.record(z.string(), z.string()).nullish().describe('The cohorts that the conversation belongs to.'),
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
