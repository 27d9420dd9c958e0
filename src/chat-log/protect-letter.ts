import { isUtf8 } from 'node:buffer';
import type { KafkaMessage } from 'kafkajs';
import type { Privacy } from '../privacy/privacy.js';
import type { RedactionCounts } from '../privacy/redaction-settings.js';
import { buffers, type DeadLetter, KEPT_BYTES } from './dead-letter.js';
import { CONVERSATION_FIELDS, USER_FIELDS } from './id-fields.js';
import { type LetterIds, letterIds, MOST_IDS } from './letter-ids.js';
import { nestsTooDeeply } from './nesting.js';
import { unescaped } from './well-formed.js';

type IdKind = 'userId' | 'conversationId';
const IDS = new Map<string, IdKind>([
  ...USER_FIELDS.map((name) => [name, 'userId'] as const),
  ...CONVERSATION_FIELDS.map((name) => [name, 'conversationId'] as const),
]);
const ID_IN_TEXT = new RegExp(
  `"(${[...IDS.keys()].join('|').replaceAll('.', '\\.')})"\\s*:\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(\\d+))`,
  'g',
);
/** Larger values are redacted as text, as far as they are kept. */
const MOST_PARSED = 1024 * 1024;
const SHORT_HEADER = 64;
/** A secret may begin before the end of what is kept, and end after it. */
const MARGIN_BYTES = 16 * 1024;

/** What may be stored, and by what it is found when somebody is erased. */
export type ProtectedLetter = DeadLetter & Omit<LetterIds, 'all'>;

/**
 * A dead letter as it may be stored: key, headers, detail and value redacted, user ids hashed. What is no text
 * cannot be redacted and is withheld; the record itself is still on its topic. The hash is the plain sha256 of the value
 * where nothing of it had to be taken out, else a keyed one, as text that is nearly known can be guessed from a plain one.
 */
export function protectLetter(letter: DeadLetter, privacy: Privacy): ProtectedLetter {
  const redactions: RedactionCounts = {};
  const protect = (bytes: Buffer, what: string) => protectBytes(bytes, what, privacy, redactions);
  const { message } = letter;
  const { all, ...ids } = letterIds(message, privacy.pseudonyms);
  const value =
    message.value && (all ? protect(message.value, 'value') : insteadOf('value', message.value, UNFINDABLE));
  const key = message.key && protectKey(message.key, message.value, privacy, redactions);
  const sent = Object.entries(message.headers ?? {}).map(([name, given]) => [name, buffers(given)] as const);
  const headers = sent.map(
    ([name, values]) =>
      [
        privacy.redactor.text(name, redactions),
        values.map((item) => (isHarmlessBinary(item, privacy) ? item : protect(item, 'header'))),
      ] as const,
  );
  const cut =
    isWithheld('key', message.key, key) ||
    !all ||
    isWithheld('value', message.value, value) ||
    sent.some(([, values], of) => values.some((item, at) => isWithheld('header', item, headers[of]![1][at]!)));
  return {
    ...letter,
    ...ids,
    cut,
    message: {
      ...message,
      key,
      value,
      headers: Object.fromEntries(headers),
    } as KafkaMessage,
    bytes: value && isParsed(message.value!) ? value.length : letter.bytes,
    detail: privacy.redactor.text(letter.detail, redactions),
    sha256: value === message.value ? letter.sha256 : privacy.pseudonyms.hash('record', letter.sha256),
    redactions,
  };
}

/** Short headers may be binary (a trace's id): kept unless they read as something personal, NULs left out. */
function isHarmlessBinary(bytes: Buffer, { redactor }: Privacy): boolean {
  if (isParsed(bytes) || bytes.length > SHORT_HEADER) return false;
  const readable = bytes.toString('latin1').replaceAll('\0', '');
  return redactor.text(readable, {}) === readable;
}

/** Whether what came of it is the whole of it, and not its beginning, or a word in its place. */
const isParsed = (bytes: Buffer) => bytes.length <= MOST_PARSED && isUtf8(bytes) && !bytes.includes(0);

/** The key is a conversation's id, as a rule; some producers take the user's. */
function protectKey(key: Buffer, value: Buffer | null, privacy: Privacy, counts: RedactionCounts): Buffer {
  if (!isUtf8(key)) return withheld('key', key, privacy);
  const id = key.toString('utf8');
  if (isUserIn(value, id)) return Buffer.from(privacy.pseudonyms.userId(id));
  const pseudonym = privacy.pseudonyms.conversationId(id);
  return pseudonym === id ? protectBytes(key, 'key', privacy, counts) : Buffer.from(pseudonym);
}

/** Whether the record names it as the user. */
function isUserIn(value: Buffer | null, id: string): boolean {
  const text = value?.subarray(0, MOST_PARSED).toString('utf8') ?? '';
  const written = JSON.stringify(id).slice(1, -1);
  if (!text.includes(written)) return false;
  return [...text.matchAll(ID_IN_TEXT)].some(
    ([, name, given, number]) => (given ?? number) === written && IDS.get(name!) === 'userId',
  );
}

function withheld(what: string, bytes: Buffer, { redactor }: Privacy): Buffer {
  return redactor.isOff ? bytes : insteadOf(what, bytes);
}

/** Why a value is withheld that could not be found again for all whom it names. */
const UNFINDABLE = `name over ${MOST_IDS} ids`;

const insteadOf = (what: string, bytes: Buffer, why = 'are not text') =>
  Buffer.from(`[${what} of ${bytes.length} bytes that ${why}]`);

function isWithheld(what: string, bytes: Buffer | null, kept: Buffer | null): boolean {
  return bytes !== null && kept !== bytes && insteadOf(what, bytes).equals(kept!);
}

function protectBytes(bytes: Buffer, what: string, privacy: Privacy, counts: RedactionCounts): Buffer {
  if (bytes.length > MOST_PARSED) return protectLarge(bytes, what, privacy, counts);
  if (!isParsed(bytes)) return withheld(what, bytes, privacy);
  const text = bytes.toString('utf8');
  const redacted = protectJson(text, privacy, counts) ?? protectText(text, privacy, counts);
  return redacted === text ? bytes : Buffer.from(redacted);
}

function protectLarge(bytes: Buffer, what: string, privacy: Privacy, counts: RedactionCounts): Buffer {
  const kept = bytes.subarray(0, KEPT_BYTES + MARGIN_BYTES);
  const text = kept.toString('utf8');
  const broken = text.slice(0, -1).includes('\ufffd') && !isUtf8(bytes);
  if (broken || text.includes('\0')) return withheld(what, bytes, privacy);
  return Buffer.from(protectText(text, privacy, counts)).subarray(0, KEPT_BYTES);
}

/** Undefined where the text is no JSON, or nested more deeply than any form is. */
function protectJson(text: string, privacy: Privacy, counts: RedactionCounts): string | undefined {
  if (nestsTooDeeply(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const named = withoutIds(value, privacy);
    const redacted = privacy.redactor.json(named, counts);
    return redacted === value ? text : JSON.stringify(redacted);
  } catch {
    return undefined;
  }
}

function protectText(text: string, { redactor, pseudonyms }: Privacy, counts: RedactionCounts): string {
  const named = unescaped(text).replace(
    ID_IN_TEXT,
    (_, name: string, id: string | undefined, number: string) =>
      `"${name}":"${pseudonyms[IDS.get(name)!](id ?? number)}"`,
  );
  return redactor.text(named, counts);
}

/** Replaces ids by what stands for them, in fields and in OTLP's lists of attributes; opens data in base64. */
function withoutIds(value: unknown, privacy: Privacy): unknown {
  if (Array.isArray(value))
    return keep(
      value,
      value.map((item) => withoutIds(item, privacy)),
    );
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const attribute = (value as { key?: unknown }).key;
  const changed = entries.map(([name, item]) => [name, replaced(name, item, attribute, privacy)] as const);
  return changed.some(([, item], index) => item !== entries[index]![1]) ? Object.fromEntries(changed) : value;
}

function replaced(name: string, item: unknown, attribute: unknown, privacy: Privacy): unknown {
  const kind = IDS.get(name);
  if (kind && isId(item)) return storedId(kind, item, privacy);
  if (name === 'data_base64' && typeof item === 'string') {
    const data = Buffer.from(item, 'base64');
    return protectBytes(data, 'data', privacy, {}).toString('base64');
  }
  const attributeKind = name === 'value' ? IDS.get(String(attribute)) : undefined;
  return attributeKind ? attributeValue(attributeKind, item, privacy) : withoutIds(item, privacy);
}

/** OTLP's AnyValue of an attribute that is an id. */
function attributeValue(kind: IdKind, value: unknown, privacy: Privacy): unknown {
  const { stringValue, intValue } = Object(value) as { stringValue?: unknown; intValue?: unknown };
  if (isId(stringValue)) return { ...(value as object), stringValue: storedId(kind, stringValue, privacy) };
  if (isId(intValue)) return { ...(value as object), intValue: storedId(kind, intValue, privacy) };
  return isId(value) ? storedId(kind, value, privacy) : withoutIds(value, privacy);
}

const isId = (item: unknown): item is string | number => typeof item === 'string' || typeof item === 'number';

/** Ids that are numbers are texts once they are hashed. */
function storedId(kind: IdKind, id: string | number, { pseudonyms }: Privacy): string | number {
  const stored = pseudonyms[kind](String(id));
  return stored === String(id) ? id : stored;
}

const keep = (before: unknown[], after: unknown[]) =>
  after.every((item, index) => item === before[index]) ? before : after;
