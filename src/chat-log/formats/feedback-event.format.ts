import { contentTypeOf, FEEDBACK_SCHEMA, feedbackEventSchema } from '../turn-event.js';
import { type Format, parseAs } from './format.js';

/** Feedback on a turn that has its own record. */
export const feedbackEventFormat: Format = {
  name: FEEDBACK_SCHEMA,
  contentType: contentTypeOf(FEEDBACK_SCHEMA),
  summary: 'Feedback on a turn that has its own record.',
  schema: feedbackEventSchema,
  read(value) {
    const { conversationId, turn, feedback, occurredAt } = parseAs(feedbackEventSchema, value);
    return {
      turns: [],
      feedback: [{ conversationId, turn, kind: feedback.kind, value: feedback.value ?? null, occurredAt }],
    };
  },
};
