import type { IHeaders, KafkaMessage } from 'kafkajs';
import { firstText } from './record-value.js';

/** What is read of a message. */
export type ReadableMessage = Pick<KafkaMessage, 'offset' | 'timestamp' | 'key' | 'value' | 'headers'>;

/**
 * Messages on their way to another thread: all keys and values in one buffer, which changes hands. A message's own are
 * views of what the whole fetch brought, which would be copied with it.
 */
export interface PackedMessages {
  bytes: Uint8Array<ArrayBuffer>;
  /** Of each message the lengths of its key and value, -1 where it has none. */
  messages: { offset: string; timestamp: string; key: number; value: number; headers?: Record<string, string> }[];
}

export function packMessages(messages: ReadableMessage[]): PackedMessages {
  const parts = messages.flatMap(({ key, value }) => [key, value]);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0));
  let at = 0;
  for (const part of parts) {
    if (part) bytes.set(part, at);
    at += part?.length ?? 0;
  }
  return {
    bytes,
    messages: messages.map(({ offset, timestamp, key, value, headers }) => ({
      offset,
      timestamp,
      key: key?.length ?? -1,
      value: value?.length ?? -1,
      headers: headers && firstTexts(headers),
    })),
  };
}

export function unpackMessages({ bytes, messages }: PackedMessages): ReadableMessage[] {
  let at = 0;
  const take = (length: number) => {
    if (length < 0) return null;
    at += length;
    return Buffer.from(bytes.buffer, at - length, length);
  };
  return messages.map(({ key, value, ...rest }) => ({ ...rest, key: take(key), value: take(value) }));
}

/** The first value of each header: no other one is read. */
function firstTexts(headers: IHeaders): Record<string, string> {
  const texts = Object.entries(headers).map(([name, value]) => [name, firstText(value)] as const);
  return Object.fromEntries(texts.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])));
}
