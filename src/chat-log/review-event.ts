import { z } from 'zod';
import { contentSchema } from './content.js';
import { conversationIdSchema, feedbackSchema, timeSchema } from './turn-event.js';

export const REVIEW_SCHEMA = 'driftloop.review.v1';

/**
 * Work on an artefact that somebody reviewed: a code review, the summary of a document. It is a conversation of three
 * turns, which turn events may go on from turn 3: instruction and artefact, what the model wrote, the reviewer's comment.
 */
export const reviewEventSchema = z.object({
  schema: z.literal(REVIEW_SCHEMA),
  reviewId: conversationIdSchema.describe('The conversation. Two outputs for one artefact are two reviews.'),
  kind: z.string().min(1).max(64).describe('Such as `code-review` or `document-summary`: a cohort.'),
  instruction: z.string().nullish().describe('What the model was asked to do with the artefact.'),
  artefact: contentSchema.describe('The diff, the document.'),
  output: contentSchema.describe('What the model wrote of it.'),
  comment: contentSchema
    .nullish()
    .describe('What the reviewer said of the output; may come later, with all the rest again.'),
  occurredAt: timeSchema,
  reviewer: z.string().nullish().describe('Id of who commented.'),
  tenant: z.string().nullish(),
  policyVersion: z.string().nullish().describe('Who wrote the output.'),
  model: z.string().nullish(),
  feedback: feedbackSchema.nullish().describe('What the reviewer did about the output besides commenting.'),
  metadata: z.record(z.string(), z.string()).nullish(),
});
export type ReviewEvent = z.input<typeof reviewEventSchema>;
