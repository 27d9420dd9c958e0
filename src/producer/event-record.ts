import type { z } from 'zod';
import { REVIEW_SCHEMA, type ReviewEvent, reviewEventSchema } from '../chat-log/review-event.js';
import {
  contentTypeOf,
  FEEDBACK_SCHEMA,
  type FeedbackEvent,
  feedbackEventSchema,
  TURN_SCHEMA,
  type TurnEvent,
  turnEventSchema,
} from '../chat-log/turn-event.js';
import { DriftError } from '../drift-error.js';

/** What a producer may send. */
export type ChatEvent = TurnEvent | FeedbackEvent | ReviewEvent;

export const CHAT_SCHEMAS: Record<ChatEvent['schema'], z.ZodType<ChatEvent>> = {
  [TURN_SCHEMA]: turnEventSchema,
  [FEEDBACK_SCHEMA]: feedbackEventSchema,
  [REVIEW_SCHEMA]: reviewEventSchema,
};

/** A record of Kafka, as kafkajs takes it. */
export interface EventRecord {
  /** The conversation: all its records go to one partition, in order. */
  key: string;
  /** JSON. */
  value: string;
  headers: { 'content-type': string };
}

/**
 * The record of an event: its key, its value and the header that names its form. Fields that the schema does not have
 * are left out.
 * @throws DriftError `record-invalid` where the consumer would not take it, naming each field that is wrong
 */
export function eventRecord(event: ChatEvent): EventRecord {
  const result = Object.hasOwn(CHAT_SCHEMAS, event.schema) && CHAT_SCHEMAS[event.schema].safeParse(event);
  if (!result) throw new DriftError('record-invalid', `schema: ${String(event.schema)} is not known`);
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new DriftError('record-invalid', problems.join('; '), { facts: { problems } });
  }
  return {
    key: conversationOf(result.data),
    value: JSON.stringify(result.data),
    headers: { 'content-type': contentTypeOf(event.schema) },
  };
}

function conversationOf(event: ChatEvent): string {
  return 'reviewId' in event ? event.reviewId : event.conversationId;
}
