import { expect, it } from 'vitest';
import { decode } from '../../test/factories/records.js';
import { turnEvent } from '../../test/factories/turns.js';
import { conversationEvents } from './conversation-events.js';
import { type ChatEvent, eventRecord } from './event-record.js';
import { sendEvents } from './send-events.js';

const EVENTS: ChatEvent[] = [
  turnEvent({ content: [{ type: 'text', text: 'hi' }], metadata: { cohort: 'a' } }),
  {
    schema: 'driftloop.feedback.v1',
    conversationId: 'c',
    turn: 1,
    feedback: { kind: 'rating', value: 2 },
    occurredAt: '2026-01-01T00:00:00Z',
  },
  {
    schema: 'driftloop.review.v1',
    reviewId: 'r',
    kind: 'code-review',
    artefact: '+ x',
    output: 'Fine.',
    comment: 'No.',
    occurredAt: '2026-01-01T00:00:00Z',
  },
];

it('makes records that the consumer takes, keyed by the conversation', () => {
  const records = EVENTS.map(eventRecord);
  expect(records.map(({ key }) => key)).toEqual(['conversation', 'c', 'r']);
  for (const { value, headers } of records) expect(decode(value, { headers }).outcome).toBe('decoded');
});

it('names every field that is wrong', () => {
  const wrong = { ...turnEvent({ turn: -1 }), occurredAt: 'now' };
  expect(() => eventRecord(wrong)).toThrow(/turn: .*occurredAt: /);
  expect(() => eventRecord({ ...wrong, schema: 'driftloop.turn.v2' } as never)).toThrow(/^schema: .*turn\.v2/);
});

it('numbers the turns of a conversation from where it has come to', () => {
  const said = [
    { role: 'user', content: 'a', occurredAt: new Date(0) },
    { role: 'assistant', content: 'b', occurredAt: '2026-01-01T00:00:00Z', model: 'm' },
  ] as const;
  expect(conversationEvents({ conversationId: 'c', tenant: 't' }, said, 4)).toMatchObject([
    { conversationId: 'c', tenant: 't', turn: 4, role: 'user', occurredAt: '1970-01-01T00:00:00.000Z' },
    { conversationId: 'c', tenant: 't', turn: 5, role: 'assistant', occurredAt: '2026-01-01T00:00:00Z', model: 'm' },
  ]);
});

it('sends in requests that a broker takes, in order, and nothing where one event is wrong', async () => {
  const requests: number[][] = [];
  const producer = {
    send: async ({ messages }: { messages: { value: string }[] }) =>
      requests.push(messages.map(({ value }) => JSON.parse(value).turn)),
  };
  const events = [0, 1, 2].map((turn) => turnEvent({ turn, content: 'x'.repeat(250 * 1024) }));
  await sendEvents(producer, events);
  expect(requests).toEqual([[0, 1], [2]]);
  await expect(sendEvents(producer, [events[0]!, turnEvent({ turn: -1 })])).rejects.toThrow(/turn: /);
  expect(requests).toHaveLength(2);
});
