import { z } from 'zod';
import type { Redactor } from '../../privacy/redaction.js';
import type { ChatEvent, EventRecord } from '../../producer/event-record.js';
import { CHAT_SCHEMAS, eventRecord } from '../../producer/event-record.js';
import { selectFormat } from '../formats/registry.js';
import { REJECTION_REASONS, RecordRejection } from '../rejection.js';
import { reviewEventSchema } from '../review-event.js';
import { feedbackEventSchema, turnEventSchema } from '../turn-event.js';

/** Of one request. */
export const MAX_EVENTS = 1_000;

/** Each event by itself is checked later, so that a bad one does not stop the others. */
const anyEvent = z.unknown().meta({
  description: 'An event of a schema of our own; its field `schema` says which.',
  oneOf: [turnEventSchema, feedbackEventSchema, reviewEventSchema].map(asOpenApi),
});

function asOpenApi(schema: z.ZodType) {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' });
  return json;
}

export const turnsRequestSchema = z
  .object({ events: z.array(anyEvent).min(1).max(MAX_EVENTS) })
  .meta({ id: 'TurnsRequest' });
export type TurnsRequest = z.output<typeof turnsRequestSchema>;

const itemSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('accepted') }),
  z.object({
    outcome: z.literal('rejected'),
    reason: z.enum(REJECTION_REASONS),
    detail: z.string().describe('Where it is wrong, and what.'),
  }),
]);
export type TurnsItem = z.output<typeof itemSchema>;

export const turnsAnswerSchema = z
  .object({
    accepted: z.number().int().describe('Events that Kafka has.'),
    rejected: z.number().int(),
    items: z.array(itemSchema).describe('One for each event, in their order.'),
  })
  .meta({ id: 'TurnsAnswer' });
export type TurnsAnswer = z.output<typeof turnsAnswerSchema>;

/** Where a record would stand; events of our own ask for none of it. */
const NOWHERE = { topic: '', partition: 0, offset: '0', key: null, timestamp: new Date(0).toISOString() };

/**
 * What becomes of each event, and the records of those that are taken: checked as the consumer checks them. A detail may
 * name what was sent, and answers are stored: so it is redacted.
 */
export function sortEvents(
  { events }: TurnsRequest,
  redactor: Redactor,
): { items: TurnsItem[]; records: EventRecord[] } {
  const records: EventRecord[] = [];
  const items = events.map((event): TurnsItem => {
    try {
      checkEvent(event);
      records.push(eventRecord(event as ChatEvent));
      return { outcome: 'accepted' };
    } catch (error) {
      const { reason, detail } = rejectionOf(error);
      return { outcome: 'rejected', reason, detail: redactor.text(detail, {}) };
    }
  });
  return { items, records };
}

/** @throws RecordRejection */
function checkEvent(event: unknown): void {
  const format = selectFormat({}, event);
  if (!Object.hasOwn(CHAT_SCHEMAS, format.name)) {
    throw new RecordRejection('unknown-schema', `schema ${format.name} is not taken over HTTP`);
  }
  format.read(event, NOWHERE);
}

function rejectionOf(error: unknown): RecordRejection {
  if (error instanceof RecordRejection) return error;
  // The stack overflows where a value is nested some thousand levels deep.
  if (error instanceof RangeError) return new RecordRejection('invalid', 'value: it is nested too deeply');
  throw error;
}
