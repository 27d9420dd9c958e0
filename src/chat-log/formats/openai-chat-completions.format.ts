import { z } from 'zod';
import { RecordRejection } from '../rejection.js';
import { makeTurn } from '../turn.js';
import { conversationIdOf, type Format, parseAs } from './format.js';
import { messageContent, messageSchema } from './messages.js';
import { chunkSchema, joinChunks } from './openai-chunks.js';
import { senderSchema, splitMetadata } from './openai-messages.format.js';

const requestSchema = z.object({
  messages: z.array(messageSchema),
  model: z.string().nullish(),
  ...senderSchema.shape,
});

/** What a request that failed was answered has no choices. */
const responseSchema = z.object({
  model: z.string().nullish(),
  choices: z.array(z.object({ message: messageSchema })).nullish(),
});

const recordSchema = z.object({
  request: requestSchema.describe('Body of the request, as `POST /v1/chat/completions` takes it.'),
  response: z
    .union([responseSchema, z.array(chunkSchema)])
    .nullish()
    .describe('Body of the answer, or the chunks of a streamed one.'),
});

/** One call of OpenAI's chat completions API, as a gateway logs it: the conversation so far and the reply to it. */
export const openAiChatCompletionsFormat: Format = {
  name: 'openai.chat-completions',
  contentType: 'application/vnd.driftloop.openai.chat-completions+json',
  summary: "Request and response of one call of OpenAI's chat completions.",
  schema: recordSchema,
  read(value, origin) {
    const { request, response: answer } = parseAs(recordSchema, value);
    const response = Array.isArray(answer) ? joinChunks(answer) : answer;
    if (request.messages.length === 0) throw new RecordRejection('empty', 'request.messages: it has no messages');
    const { ownId, sender, metadata } = splitMetadata(request);
    const common = {
      conversationId: conversationIdOf(ownId, sender, origin),
      occurredAt: origin.timestamp,
      ...sender,
      metadata,
    };
    const turns = request.messages.map((message, turn) => makeTurn({ ...common, turn, ...messageContent(message) }));
    const replies = response?.choices ?? [];
    // Of several choices the next request shows which one the user was given.
    if (replies.length === 1) {
      const reply = { ...messageContent(replies[0]!.message), model: response?.model ?? request.model };
      turns.push(makeTurn({ ...common, turn: turns.length, ...reply }));
    }
    return { turns, feedback: [] };
  },
};
