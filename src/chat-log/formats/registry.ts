import { mediaType } from '../record-value.js';
import { RecordRejection } from '../rejection.js';
import { driftFormat } from './drift.format.js';
import { eraseEventFormat } from './erase-event.format.js';
import { feedbackEventFormat } from './feedback-event.format.js';
import type { Format } from './format.js';
import { openAiChatCompletionsFormat } from './openai-chat-completions.format.js';
import { openAiMessagesFormat } from './openai-messages.format.js';
import { otelGenAiFormat } from './otel-genai.format.js';
import { reviewEventFormat } from './review-event.format.js';
import { shareGptFormat } from './sharegpt.format.js';
import { turnEventFormat } from './turn-event.format.js';
import { wildChatFormat } from './wildchat.format.js';

export const FORMATS: readonly Format[] = [
  turnEventFormat,
  feedbackEventFormat,
  reviewEventFormat,
  eraseEventFormat,
  openAiChatCompletionsFormat,
  openAiMessagesFormat,
  otelGenAiFormat,
  shareGptFormat,
  wildChatFormat,
  driftFormat,
];

const BY_NAME = new Map(FORMATS.flatMap((format) => [[format.name, format] as const, [format.contentType, format]]));
const BY_SCHEMA = new Map(
  [turnEventFormat, feedbackEventFormat, reviewEventFormat, eraseEventFormat].map((format) => [format.name, format]),
);

/** Content types that say no more than that a record is JSON, or nothing. */
const GENERIC = new Set(['application/json', 'application/octet-stream']);

export interface FormatNames {
  contentType?: string;
  /** The CloudEvents `type`. It wins where it is the name of a form. */
  eventType?: string;
}

/**
 * The form of a record: named by its envelope or headers, else by its own `schema`. Never guessed from what it looks
 * like.
 * @throws RecordRejection `unknown-format`, `unknown-schema`
 */
export function selectFormat({ contentType, eventType }: FormatNames, value: unknown): Format {
  const media = mediaType(contentType);
  const format = BY_NAME.get(eventType ?? '') ?? BY_NAME.get(media ?? '');
  if (format) return format;
  if (media === undefined || GENERIC.has(media)) return bySchema(value, eventType);
  throw new RecordRejection('unknown-format', `no form is called ${(eventType ?? media).slice(0, 200)}`);
}

function bySchema(value: unknown, eventType?: string): Format {
  const { schema } = Object(value) as { schema?: unknown };
  if (schema === undefined) {
    const called = eventType === undefined ? '' : `no form is called ${eventType.slice(0, 200)}, and `;
    const detail = `${called}neither a header content-type or ce_type nor a field schema names the form`;
    throw new RecordRejection('unknown-format', detail);
  }
  if (typeof schema !== 'string') throw new RecordRejection('unknown-schema', 'schema: it is no text');
  const format = BY_SCHEMA.get(schema);
  if (!format) throw new RecordRejection('unknown-schema', `schema ${schema.slice(0, 200)} is not known`);
  return format;
}
