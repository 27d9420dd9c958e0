import { z } from 'zod';
import { RecordRejection } from '../rejection.js';
import { makeTurn } from '../turn.js';
import { conversationIdSchema } from '../turn-event.js';
import { conversationIdOf, type Format, parseAs } from './format.js';
import { messageContent, messageSchema } from './messages.js';

/** Who and which conversation a request is of. */
export const senderSchema = z.object({
  user: z.string().nullish(),
  safety_identifier: z.string().nullish().describe('What `user` is called since 2025.'),
  metadata: z
    .object({ conversation_id: conversationIdSchema.nullish(), tenant: z.string().nullish() })
    .catchall(z.string())
    .nullish(),
});

const recordSchema = z.object({
  messages: z.array(messageSchema),
  model: z.string().nullish(),
  ...senderSchema.shape,
});

/** The conversation's id and sender; what else the metadata has are its cohorts. */
export function splitMetadata({ user, safety_identifier, metadata }: z.output<typeof senderSchema>) {
  const { conversation_id: ownId, tenant, ...cohorts } = metadata ?? {};
  return {
    ownId,
    sender: { tenant, userId: user ?? safety_identifier },
    metadata: Object.keys(cohorts).length > 0 ? cohorts : null,
  };
}

/** A conversation as OpenAI's `messages`, with `model`, `user` and `metadata` as a request has them. */
export const openAiMessagesFormat: Format = {
  name: 'openai.messages',
  contentType: 'application/vnd.driftloop.openai.messages+json',
  summary: "A conversation as `messages` of OpenAI's chat completions.",
  schema: recordSchema,
  read(value, origin) {
    const { messages, model, ...request } = parseAs(recordSchema, value);
    if (messages.length === 0) throw new RecordRejection('empty', 'messages: it has no messages');
    const { ownId, sender, metadata } = splitMetadata(request);
    const common = {
      conversationId: conversationIdOf(ownId, sender, origin),
      occurredAt: origin.timestamp,
      ...sender,
      metadata,
    };
    const turns = messages.map((message, turn) => {
      const { role, content } = messageContent(message);
      return makeTurn({ ...common, turn, role, content, model: role === 'assistant' ? model : null });
    });
    return { turns, feedback: [] };
  },
};
