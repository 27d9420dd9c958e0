import { z } from 'zod';
import { RecordRejection } from '../rejection.js';
import { makeTurn, type Role } from '../turn.js';
import { conversationIdSchema } from '../turn-event.js';
import { conversationIdOf, type Format, parseAs } from './format.js';

const ROLES: Record<string, Role> = {
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
  assistant: 'assistant',
  system: 'system',
  tool: 'tool',
  function: 'tool',
};

const recordSchema = z.object({
  id: conversationIdSchema.nullish(),
  conversations: z.array(z.object({ from: z.enum(Object.keys(ROLES)), value: z.string() })),
});

/** An id such as `J410gdS_7`: the record is a window that starts at turn 7 of the conversation `J410gdS`. */
const WINDOW_ID = /^(.+)_(\d{1,9})$/s;

/** A ShareGPT record: a conversation, or a window of one. */
export const shareGptFormat: Format = {
  name: 'sharegpt',
  contentType: 'application/vnd.driftloop.sharegpt+json',
  summary: 'A ShareGPT record: a conversation, or a window of one.',
  schema: recordSchema,
  read(value, origin) {
    const { id, conversations } = parseAs(recordSchema, value);
    if (conversations.length === 0) throw new RecordRejection('empty', 'conversations: it has no messages');
    const window = WINDOW_ID.exec(id ?? '');
    const conversationId = conversationIdOf(window?.[1] ?? id, {}, origin);
    const first = Number(window?.[2] ?? 0);
    const turns = conversations.map(({ from, value: content }, index) =>
      makeTurn({ conversationId, turn: first + index, role: ROLES[from]!, content, occurredAt: origin.timestamp }),
    );
    return { turns, feedback: [] };
  },
};
