import { RecordRejection } from '../rejection.js';
import { driftFormat } from './drift.format.js';
import { feedbackEventFormat } from './feedback-event.format.js';
import type { Format } from './format.js';
import { openAiMessagesFormat } from './openai-messages.format.js';
import { shareGptFormat } from './sharegpt.format.js';
import { turnEventFormat } from './turn-event.format.js';

export const FORMATS: readonly Format[] = [
  turnEventFormat,
  feedbackEventFormat,
  shareGptFormat,
  openAiMessagesFormat,
  driftFormat,
];

const BY_NAME = new Map(FORMATS.flatMap((format) => [[format.name, format] as const, [format.contentType, format]]));
const BY_SCHEMA = new Map([turnEventFormat, feedbackEventFormat].map((format) => [format.name, format]));

/** Content types that say no more than that a record is JSON, or nothing. */
const GENERIC = new Set(['application/json', 'application/octet-stream']);

export interface FormatHeaders {
  contentType?: string;
  /** The CloudEvents `type` (binary mode). It wins: `content-type` then speaks of the event's data. */
  eventType?: string;
}

/**
 * The form of a record: named by its headers, else by its own `schema`. Never guessed from what it looks like.
 * @throws RecordRejection `unknown-format`, `unknown-schema`
 */
export function selectFormat(headers: FormatHeaders, value: unknown): Format {
  const name = headers.eventType ?? mediaType(headers.contentType);
  if (name === undefined || GENERIC.has(name)) return bySchema(value);
  const format = BY_NAME.get(name);
  if (!format) throw new RecordRejection('unknown-format', `no form is called ${name.slice(0, 200)}`);
  return format;
}

function mediaType(contentType = ''): string | undefined {
  return contentType.replace(/;.*/s, '').trim().toLowerCase() || undefined;
}

function bySchema(value: unknown): Format {
  const { schema } = Object(value) as { schema?: unknown };
  if (schema === undefined) {
    throw new RecordRejection(
      'unknown-format',
      'neither a header content-type or ce_type nor a field schema names the form',
    );
  }
  const format = BY_SCHEMA.get(String(schema));
  if (!format) throw new RecordRejection('unknown-schema', `schema ${String(schema).slice(0, 200)} is not known`);
  return format;
}
