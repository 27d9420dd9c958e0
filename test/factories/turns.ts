import type { Message } from 'kafkajs';
import { type FeedbackEvent, TURN_SCHEMA, type TurnEvent } from '../../src/chat-log/turn-event.js';

/** A valid turn event; what matters to a test is given. */
export function turnEvent(given: Partial<TurnEvent> = {}): TurnEvent {
  const turn = given.turn ?? 0;
  return {
    schema: TURN_SCHEMA,
    conversationId: 'conversation',
    turn,
    role: turn % 2 === 0 ? 'user' : 'assistant',
    content: `turn ${turn}`,
    occurredAt: '2026-01-02T03:04:05Z',
    ...given,
  };
}

/** The turns of a conversation that user and assistant take by turns, the user first. */
export function conversation(conversationId: string, contents: string[]): TurnEvent[] {
  return contents.map((content, turn) => turnEvent({ conversationId, turn, content }));
}

/** A conversation with the marker in each text; the scripted classifier finds dsat in BAD, sat in GOOD. */
export function complaint(conversationId: string, marker: string, userId?: string): TurnEvent[] {
  const contents = ['List.', 'Milk.', 'BAD', 'Milk, eggs.', 'GOOD'].map((content) => `${content} ${marker}`);
  return conversation(conversationId, contents).map((event) => ({
    ...event,
    userId: event.role === 'user' ? userId : undefined,
    metadata: { note: marker },
  }));
}

/** An event as a producer sends it. */
export function asRecord(event: TurnEvent | FeedbackEvent): Message {
  return { key: event.conversationId, value: JSON.stringify(event) };
}
