/** `driftloop/producer`: for those who produce chat turns to Kafka with a client of their own. */
export type { ContentPart } from '../chat-log/content.js';
export type { ReviewEvent } from '../chat-log/review-event.js';
export type { FeedbackKind, Role } from '../chat-log/turn.js';
export type { FeedbackEvent, TurnEvent } from '../chat-log/turn-event.js';
export { DriftError } from '../drift-error.js';
export { type ConversationFacts, conversationEvents, type SaidTurn } from './conversation-events.js';
export { type ChatEvent, type EventRecord, eventRecord } from './event-record.js';
export { type KafkaProducer, type SendOptions, sendEvents } from './send-events.js';
