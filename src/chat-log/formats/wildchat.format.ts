import { z } from 'zod';
import { RecordRejection } from '../rejection.js';
import { makeTurn } from '../turn.js';
import { conversationIdSchema } from '../turn-event.js';
import { conversationIdOf, type Format, LAST_TIME_MS, parseAs } from './format.js';

/** A zone at the end of a time; without one the data set means UTC. */
const ZONE = /(?:z|[+-]\d{2}:?\d{2})$/i;

/** A time as the data set's exports write it: ISO 8601, with a space or a T, or milliseconds since 1970. */
const timeSchema = z.union([z.string(), z.number()]).refine((time) => isKnown(parseTime(time).getTime()), {
  error: 'expected an ISO 8601 time, or milliseconds since 1970',
});

const isKnown = (timeMs: number) => timeMs >= 0 && timeMs <= LAST_TIME_MS;

function parseTime(time: string | number): Date {
  if (typeof time === 'number') return new Date(time);
  return new Date(ZONE.test(time) ? time : `${time.replace(' ', 'T')}Z`);
}

const messageSchema = z.object({
  role: z.enum(['user', 'assistant', 'system']),
  content: z.string().nullish(),
  timestamp: timeSchema.nullish(),
  hashed_ip: z.string().nullish(),
});

const recordSchema = z.object({
  conversation_hash: conversationIdSchema.nullish(),
  conversation_id: conversationIdSchema.nullish().describe('What the first release calls `conversation_hash`.'),
  model: z.string().nullish(),
  timestamp: timeSchema.nullish(),
  language: z.string().nullish(),
  conversation: z.array(messageSchema),
});

/** A record of WildChat (arXiv 2405.01470), any release: a conversation with ChatGPT. */
export const wildChatFormat: Format = {
  name: 'wildchat',
  contentType: 'application/vnd.driftloop.wildchat+json',
  summary: 'A record of WildChat: a conversation.',
  schema: recordSchema,
  read(value, origin) {
    const { conversation, model, timestamp, language, ...ids } = parseAs(recordSchema, value);
    if (conversation.length === 0) throw new RecordRejection('empty', 'conversation: it has no messages');
    const userId = conversation.find(({ hashed_ip }) => hashed_ip)?.hashed_ip;
    const conversationId = conversationIdOf(ids.conversation_hash ?? ids.conversation_id, { userId }, origin);
    const turns = conversation.map(({ role, content, timestamp: said }, turn) => {
      const time = said ?? timestamp;
      return makeTurn({
        conversationId,
        turn,
        role,
        content: content ?? '',
        occurredAt: time == null ? origin.timestamp : parseTime(time).toISOString(),
        userId,
        model: role === 'assistant' ? model : null,
        metadata: language ? { language } : null,
      });
    });
    return { turns, feedback: [] };
  },
};
