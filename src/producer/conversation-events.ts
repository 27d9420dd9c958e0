import { TURN_SCHEMA, type TurnEvent } from '../chat-log/turn-event.js';

/** What the turns of a conversation have in common. */
export type ConversationFacts = Pick<TurnEvent, 'conversationId' | 'userId' | 'tenant' | 'metadata'>;

/** One message; without a time it is said now. */
export type SaidTurn = Pick<TurnEvent, 'role' | 'content' | 'policyVersion' | 'model' | 'feedback'> & {
  occurredAt?: Date | string;
};

/**
 * The events of messages that follow each other in a conversation.
 * @param firstTurn index of the first of them in the whole conversation
 */
export function conversationEvents(facts: ConversationFacts, said: readonly SaidTurn[], firstTurn = 0): TurnEvent[] {
  return said.map(({ occurredAt = new Date(), ...message }, index) => ({
    schema: TURN_SCHEMA,
    ...facts,
    turn: firstTurn + index,
    ...message,
    occurredAt: typeof occurredAt === 'string' ? occurredAt : occurredAt.toISOString(),
  }));
}
