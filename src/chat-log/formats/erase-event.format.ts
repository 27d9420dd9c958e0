import { ERASE_SCHEMA, eraseEventSchema } from '../erase-event.js';
import { type Format, parseAs } from './format.js';

/** A tombstone: the subject of the CloudEvent names the conversation where the data does not. */
export const eraseEventFormat: Format = {
  name: ERASE_SCHEMA,
  contentType: `application/vnd.${ERASE_SCHEMA}+json`,
  summary: 'Erases a conversation, or what a user said until the time of the event.',
  schema: eraseEventSchema,
  read(value, { subject, timestamp }) {
    const given = Object(value) as { conversationId?: unknown; userId?: unknown };
    const named = given.conversationId ?? given.userId;
    const { conversationId, userId } = parseAs(
      eraseEventSchema,
      named === undefined && subject !== undefined ? { ...given, conversationId: subject } : value,
    );
    const at = new Date(timestamp);
    const erasure = userId
      ? ({ subject: 'user', id: userId, at } as const)
      : ({ subject: 'conversation', id: conversationId!, at } as const);
    return { turns: [], feedback: [], erasures: [erasure] };
  },
};
