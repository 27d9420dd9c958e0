import { z } from 'zod';
import { RecordRejection } from '../rejection.js';
import { makeTurn } from '../turn.js';
import { conversationIdSchema } from '../turn-event.js';
import { conversationIdOf, type Format, parseAs } from './format.js';
import { messageContent, messageSchema } from './messages.js';

const recordSchema = z.object({
  messages: z.array(messageSchema),
  model: z.string().nullish(),
  user: z.string().nullish(),
  metadata: z
    .object({ conversation_id: conversationIdSchema.nullish(), tenant: z.string().nullish() })
    .catchall(z.string())
    .nullish(),
});

/** A conversation as OpenAI's `messages`, with `model`, `user` and `metadata` as a request has them. */
export const openAiMessagesFormat: Format = {
  name: 'openai.messages',
  contentType: 'application/vnd.driftloop.openai.messages+json',
  read(value, origin) {
    const { messages, model, user, metadata } = parseAs(recordSchema, value);
    if (messages.length === 0) throw new RecordRejection('empty', 'messages: it has no messages');
    const { conversation_id: ownId, tenant, ...cohorts } = metadata ?? {};
    const sender = { tenant, userId: user };
    const common = {
      conversationId: conversationIdOf(ownId, sender, origin),
      occurredAt: origin.timestamp,
      ...sender,
      metadata: Object.keys(cohorts).length > 0 ? cohorts : null,
    };
    const turns = messages.map((message, turn) => {
      const { role, content } = messageContent(message);
      return makeTurn({ ...common, turn, role, content, model: role === 'assistant' ? model : null });
    });
    return { turns, feedback: [] };
  },
};
