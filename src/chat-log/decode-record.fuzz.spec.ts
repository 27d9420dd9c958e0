import { expect, it } from 'vitest';
import { as, decode } from '../../test/factories/records.js';
import { turnEvent } from '../../test/factories/turns.js';
import { FORMATS } from './formats/registry.js';

const MUTANTS = 400;

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

/** A record of each form that is taken. */
const VALID: Record<string, unknown[]> = {
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

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

const STRANGE: unknown[] = [
  null, true, -1, 1e308, 1e15, 0.5, '', 'x', '\u0000', '\ud800', '{', '[]', '9'.repeat(30), '-006060-01-01', '+99999-01-01T00:00:00Z',
  [], {}, [[]], [null], { type: 'text' }, { toString: 1 }, { length: 3 }, { content: [{}] }, ['__proto__'],
]; // biome-ignore format: a list of odds and ends

/** Replaces one value somewhere in `value`, or takes it away. */
function mutate(value: unknown, random: () => number): unknown {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!;
  if (typeof value !== 'object' || value === null || random() < 0.15) return pick(STRANGE);
  const copy = structuredClone(value) as Record<string, unknown>;
  const keys = Object.keys(copy);
  if (keys.length === 0) return pick(STRANGE);
  const key = pick(keys);
  if (random() < 0.15) delete copy[key];
  else copy[key] = mutate(copy[key], random);
  return copy;
}

it.each(FORMATS.map(({ name, contentType }) => [name, contentType] as const))(
  'a damaged record of %s is taken or rejected with a reason, and never ends the consumer',
  (name, contentType) => {
    const random = randomOf(7);
    for (const valid of VALID[name]!) {
      expect(decode(valid, as(contentType)).outcome).toBe('decoded');
      for (let index = 0; index < MUTANTS; index++) {
        const damaged = mutate(random() < 0.3 ? mutate(valid, random) : valid, random);
        const record = decode(damaged, as(contentType));
        if (record.outcome === 'rejected') expect(record.detail.length).toBeLessThanOrEqual(1_000);
        else for (const { occurredAt } of record.turns) expect(occurredAt).toMatch(/^\d{4}-\d\d-\d\dT/);
      }
    }
  },
);
