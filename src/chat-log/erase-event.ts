import { z } from 'zod';
import { conversationIdSchema } from './turn-event.js';

export const ERASE_SCHEMA = 'driftloop.erase.v1';

/** Erases a conversation, or what a user said until the event's time. */
export const eraseEventSchema = z
  .object({
    schema: z.literal(ERASE_SCHEMA).optional(),
    conversationId: conversationIdSchema.nullish(),
    userId: z.string().min(1).nullish().describe('As it was sent with the turns.'),
  })
  .refine(({ conversationId, userId }) => Boolean(conversationId) !== Boolean(userId), {
    message: 'expected either conversationId or userId',
  });
export type EraseEvent = z.input<typeof eraseEventSchema>;
