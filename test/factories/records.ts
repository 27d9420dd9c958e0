import type { KafkaMessage } from 'kafkajs';
import { decodeRecord } from '../../src/chat-log/decode-record.js';

export interface Given {
  key?: string;
  offset?: string;
  headers?: KafkaMessage['headers'];
}

/** Decodes a record as the consumer does: JSON, text or bytes, at a fixed time. */
export function decode(value: unknown, { key, offset = '7', headers }: Given = {}) {
  const bytes =
    Buffer.isBuffer(value) || value === null
      ? value
      : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  const message = {
    key: key === undefined ? null : Buffer.from(key),
    value: bytes,
    timestamp: '1767323045000',
    attributes: 0,
    offset,
    headers: headers ?? {},
  };
  return decodeRecord(message, 'chat.turns', 3);
}

/** The same for a record that must be taken. */
export function decoded(value: unknown, given?: Given) {
  const record = decode(value, given);
  if (record.outcome !== 'decoded') throw new Error(`${record.reason}: ${record.detail}`);
  return record;
}

/** Headers that name the form by its content type. */
export const as = (contentType: string) => ({ headers: { 'content-type': contentType } });
