import type { KafkaMessage } from 'kafkajs';
import { decodeRecord } from '../../src/chat-log/decode-record.js';
import { turnEvent } from './turns.js';

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

const messages = [
  { role: 'system', content: 'Be brief.' },
  {
    role: 'user',
    content: [
      { type: 'text', text: 'a' },
      { type: 'image_url', image_url: { url: 'x' } },
    ],
  },
  { role: 'assistant', content: null, tool_calls: [{ type: 'function', function: { name: 'f' } }] },
  { role: 'tool', tool_call_id: 'c', content: 'b' },
];
const parts = [
  {
    role: 'user',
    parts: [
      { type: 'text', content: 'a' },
      { type: 'tool_call_response', response: {} },
    ],
  },
];
const attribute = { key: 'gen_ai.input.messages', value: { stringValue: JSON.stringify(parts) } };
const logRecords = [{ timeUnixNano: '1767323045000000000', attributes: [attribute], body: { kvlistValue: {} } }];

/** Records of each form that are taken, by the form's name. */
export const VALID_RECORDS: Record<string, unknown[]> = {
  'driftloop.turn.v1': [turnEvent({ metadata: { a: 'b' }, feedback: { kind: 'rating', value: 1 } })],
  'driftloop.feedback.v1': [
    { ...turnEvent(), schema: 'driftloop.feedback.v1', feedback: { kind: 'thumbs', value: 'up' } },
  ],
  'driftloop.review.v1': [
    {
      ...turnEvent(),
      schema: 'driftloop.review.v1',
      reviewId: 'r',
      kind: 'k',
      artefact: 'a',
      output: 'b',
      comment: 'c',
    },
  ],
  'driftloop.erase.v1': [{ schema: 'driftloop.erase.v1', conversationId: 'c', occurredAt: '2026-01-01T00:00:00Z' }],
  'openai.chat-completions': [{ request: { messages, model: 'm' }, response: { choices: [{ message: messages[2] }] } }],
  'openai.messages': [{ messages, user: 'u', metadata: { tenant: 't' } }],
  'gen_ai.client.inference.operation.details': [
    { 'gen_ai.input.messages': parts, 'gen_ai.output.messages': parts, 'gen_ai.system_instructions': parts[0]!.parts },
    { resourceLogs: [{ resource: { attributes: [attribute] }, scopeLogs: [{ logRecords }] }] },
  ],
  sharegpt: [{ id: 'a_1', conversations: [{ from: 'human', value: 'a' }] }],
  wildchat: [{ conversation_hash: 'h', timestamp: '2023-04-09', conversation: [{ role: 'user', content: 'a' }] }],
  drift: [{ prompt: messages, rejected: messages, user_preference: messages[0] }],
};
