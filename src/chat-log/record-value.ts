import { isUtf8 } from 'node:buffer';
import type { IHeaders } from 'kafkajs';
import { MAX_DEPTH, nestsTooDeeply } from './nesting.js';
import type { ReadableMessage } from './packed-messages.js';
import { RecordRejection } from './rejection.js';
import { parseWellFormed, wellFormed } from './well-formed.js';

/** Of a record's value. */
export const MAX_RECORD_BYTES = 8 * 1024 * 1024;

/**
 * JSON in UTF-8, its strings such as PostgreSQL can hold; says whether one had to be changed.
 * @throws RecordRejection; SyntaxError where it is not JSON
 */
export function parseValue(bytes: Buffer | null): { value: unknown; changed: boolean } {
  if (!bytes) throw new RecordRejection('undecodable', 'the record has no value');
  if (bytes.length > MAX_RECORD_BYTES) {
    throw new RecordRejection('too-large', `the record is over ${MAX_RECORD_BYTES} bytes`);
  }
  if (!isUtf8(bytes)) throw new RecordRejection('undecodable', 'the value is not UTF-8');
  return parseJson(bytes.toString('utf8'), 'value');
}

/**
 * JSON text, of a record or within one.
 * @throws RecordRejection where it is nested too deeply; SyntaxError where it is not JSON
 */
export function parseJson(json: string, name: string): { value: unknown; changed: boolean } {
  if (nestsTooDeeply(json)) {
    throw new RecordRejection('invalid', `${name}: it is nested too deeply, over ${MAX_DEPTH} levels`);
  }
  return parseWellFormed(json);
}

/** `type/subtype` in lower case, without parameters. */
export function mediaType(contentType = ''): string | undefined {
  return contentType.replace(/;.*/s, '').trim().toLowerCase() || undefined;
}

/** The first value of a header as text, whatever the case of its name. */
export function header({ headers }: ReadableMessage, name: string): string | undefined {
  const key = Object.keys(headers ?? {}).find((candidate) => candidate.toLowerCase() === name);
  return key === undefined ? undefined : firstText(headers![key]);
}

export function firstText(value: IHeaders[string]): string | undefined {
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined ? undefined : wellFormed(first.toString());
}
