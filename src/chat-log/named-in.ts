import type { KafkaMessage } from 'kafkajs';
import { buffers } from './dead-letter.js';
import { CONVERSATION_FIELDS, USER_FIELDS } from './id-fields.js';
import { nestsTooDeeply } from './nesting.js';
import { header } from './record-value.js';
import { unescaped, wellFormed } from './well-formed.js';

/** Whom and what a record names, as it was sent: rather too much than too little. */
export interface Named {
  users: Set<string>;
  conversations: Set<string>;
  tenants: Set<string>;
  /** Times as they are written. */
  times: Set<string>;
}
type Kind = keyof Named;

const KINDS = new Map<string, Kind>([
  ...USER_FIELDS.map((name) => [name, 'users'] as const),
  ...[...CONVERSATION_FIELDS, 'id'].map((name) => [name, 'conversations'] as const),
  ['tenant', 'tenants'],
  ...['occurredAt', 'time', 'timestamp', 'timeUnixNano'].map((name) => [name, 'times'] as const),
]);

/** Characters; where the value is no JSON, longer ones are none. */
const MAX_ID = 1_024;
const FIELD_IN_TEXT = new RegExp(
  `"(${[...KINDS.keys()].join('|').replaceAll('.', '\\.')})"\\s*:\\s*("(?:[^"\\\\]|\\\\.){0,${MAX_ID}}"|\\d{1,20})`,
  'g',
);
/** A ShareGPT window, see its form. */
const WINDOW = /_\d{1,9}$/;

/** What key and headers of a record name: each may be anybody's id. */
export function namedBeside(message: KafkaMessage): Named {
  const named = nobody();
  const texts = Object.values(message.headers ?? {}).flatMap((given) => buffers(given).map(String));
  const key = message.key === null ? [] : [wellFormed(message.key.toString('utf8'))];
  for (const text of [...key, ...texts.filter(({ length }) => length <= MAX_ID)]) {
    named.users.add(text);
    named.conversations.add(text);
  }
  const time = header(message, 'ce_time');
  if (time !== undefined) named.times.add(time);
  return named;
}

/** What a record's value names, in any form and any envelope; as far as it can be read where it is no JSON. */
export function namedIn(value: Buffer | null): Named {
  const named = nobody();
  if (value) readBytes(value, named);
  return named;
}

const nobody = (): Named => ({ users: new Set(), conversations: new Set(), tenants: new Set(), times: new Set() });

function readBytes(bytes: Buffer, named: Named): void {
  const text = bytes.toString('utf8');
  const parsed = nestsTooDeeply(text) ? undefined : parse(text);
  if (parsed !== undefined) read(parsed, named);
  else for (const [, name, written] of unescaped(text).matchAll(FIELD_IN_TEXT)) add(named, name!, parse(written!));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function read(value: unknown, named: Named): void {
  if (Array.isArray(value)) for (const item of value) read(item, named);
  if (typeof value !== 'object' || value === null) return;
  for (const [name, item] of Object.entries(value)) {
    if (name === 'data_base64' && typeof item === 'string') readBytes(Buffer.from(item, 'base64'), named);
    else if (typeof item === 'object') read(item, named);
    else add(named, name, item);
  }
  readAttribute(value, named);
}

/** OTLP's lists of attributes. */
function readAttribute(of: object, named: Named): void {
  const { key, value } = of as { key?: unknown; value?: unknown };
  if (typeof key !== 'string' || typeof value !== 'object') return;
  const { stringValue, intValue } = Object(value) as { stringValue?: unknown; intValue?: unknown };
  add(named, key, stringValue ?? intValue);
}

function add(named: Named, name: string, value: unknown): void {
  const kind = KINDS.get(name);
  if (!kind || (typeof value !== 'string' && typeof value !== 'number')) return;
  const text = wellFormed(String(value));
  named[kind].add(text);
  if (name === 'id') named[kind].add(text.replace(WINDOW, ''));
}
