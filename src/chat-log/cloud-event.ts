import { z } from 'zod';
import { parseAs } from './formats/format.js';
import type { ReadableMessage } from './packed-messages.js';
import { header, mediaType, parseValue } from './record-value.js';
import { RecordRejection } from './rejection.js';
import { conversationIdSchema, timeSchema } from './turn-event.js';

/** Media types of the event formats: of these only JSON can be read. The Kafka binding has no batches. */
const STRUCTURED = 'application/cloudevents';
export const STRUCTURED_JSON = 'application/cloudevents+json';

const SPEC_VERSION = '1.0';

const attributesSchema = z.object({
  subject: conversationIdSchema.nullish().describe('The conversation, for forms that name none themselves.'),
  time: timeSchema.nullish().describe('When it was said, for forms whose turns have no time.'),
});

/** CloudEvents 1.0 in its JSON format, structured mode. `type` or else `datacontenttype` names the form of the data. */
export const cloudEventSchema = z.looseObject({
  specversion: z.literal(SPEC_VERSION),
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.string().min(1),
  ...attributesSchema.shape,
  datacontenttype: z.string().nullish(),
  data: z.unknown().optional().describe('The record as JSON.'),
  data_base64: z.base64().nullish().describe('Instead of `data`: the bytes of the record.'),
});

/** A record without its envelope. */
export interface OpenedRecord {
  value: unknown;
  /** Whether a string had to be changed because PostgreSQL cannot hold it. */
  changed: boolean;
  contentType?: string;
  /** The CloudEvents `type`. */
  eventType?: string;
  subject?: string;
  /** RFC 3339. */
  time?: string;
}

/**
 * Takes a record out of its CloudEvents envelope, whichever of the two modes of the Kafka binding it came in; a record
 * that is no CloudEvent comes out as it is.
 * @throws RecordRejection; SyntaxError where it is not JSON
 */
export function openRecord(message: ReadableMessage): OpenedRecord {
  const contentType = header(message, 'content-type');
  const media = mediaType(contentType);
  if (media?.startsWith(STRUCTURED)) return openStructured(message, media);
  const { value, changed } = parseValue(message.value);
  const eventType = header(message, 'ce_type');
  if (eventType === undefined) return { value, changed, contentType };
  checkVersion(header(message, 'ce_specversion') ?? SPEC_VERSION);
  const given = { subject: header(message, 'ce_subject'), time: header(message, 'ce_time') };
  const { subject, time } = parseAs(attributesSchema, given);
  return { value, changed, contentType, eventType, subject: subject ?? undefined, time: time ?? undefined };
}

function openStructured(message: ReadableMessage, media: string): OpenedRecord {
  if (media !== STRUCTURED_JSON) {
    throw new RecordRejection('unknown-format', `CloudEvents come as ${STRUCTURED_JSON}, not ${media.slice(0, 200)}`);
  }
  const { value, changed } = parseValue(message.value);
  checkVersion((Object(value) as { specversion?: unknown }).specversion);
  const event = parseAs(cloudEventSchema, value);
  const data = event.data_base64
    ? parseValue(Buffer.from(event.data_base64, 'base64'))
    : { value: event.data, changed: false };
  return {
    value: data.value,
    changed: changed || data.changed,
    contentType: event.datacontenttype ?? undefined,
    eventType: event.type,
    subject: event.subject ?? undefined,
    time: event.time ?? undefined,
  };
}

function checkVersion(version: unknown): void {
  if (version === undefined || version === SPEC_VERSION) return;
  if (typeof version !== 'string') throw new RecordRejection('unknown-schema', 'specversion: it is no text');
  throw new RecordRejection('unknown-schema', `CloudEvents ${version.slice(0, 200)} is not known`);
}
