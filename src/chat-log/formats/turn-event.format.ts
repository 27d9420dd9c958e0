import { makeTurn } from '../turn.js';
import { contentTypeOf, TURN_SCHEMA, turnEventSchema } from '../turn-event.js';
import { type Format, parseAs } from './format.js';

/** Driftloop's own event: one turn a record. */
export const turnEventFormat: Format = {
  name: TURN_SCHEMA,
  contentType: contentTypeOf(TURN_SCHEMA),
  summary: 'One turn of a conversation.',
  schema: turnEventSchema,
  read(value) {
    const { feedback, ...event } = parseAs(turnEventSchema, value);
    const { conversationId, turn, occurredAt } = event;
    return {
      turns: [makeTurn(event)],
      feedback: feedback
        ? [{ conversationId, turn, kind: feedback.kind, value: feedback.value ?? null, occurredAt }]
        : [],
    };
  },
};
