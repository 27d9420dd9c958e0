import { z } from 'zod';
import { RecordRejection } from '../rejection.js';
import { makeTurn } from '../turn.js';
import { conversationIdOf, type Format, parseAs } from './format.js';
import { messageContent, messageSchema } from './messages.js';

const recordSchema = z.object({
  prompt: z.array(messageSchema),
  rejected: z.array(messageSchema).min(1),
  user_preference: messageSchema,
});

/**
 * A line of the DSAT data that the authors of DRIFT (arXiv 2510.02341) released: a conversation that ends in the reply
 * that displeased and the user's words about it.
 */
export const driftFormat: Format = {
  name: 'drift',
  contentType: 'application/vnd.driftloop.drift+json',
  summary: 'A line of the DSAT data of DRIFT (arXiv 2510.02341).',
  schema: recordSchema,
  read(value, origin) {
    const { prompt, rejected, user_preference: feedback } = parseAs(recordSchema, value);
    if (prompt.length === 0) throw new RecordRejection('empty', 'prompt: it has no messages');
    const conversationId = conversationIdOf(undefined, {}, origin);
    const turns = [...prompt, ...rejected, feedback].map((message, turn) =>
      makeTurn({ conversationId, turn, occurredAt: origin.timestamp, ...messageContent(message) }),
    );
    return { turns, feedback: [] };
  },
};
