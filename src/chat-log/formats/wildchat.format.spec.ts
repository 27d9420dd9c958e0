import { expect, it } from 'vitest';
import { as, decode, decoded } from '../../../test/factories/records.js';

const WILDCHAT = as('application/vnd.driftloop.wildchat+json');
const record = (given: object = {}) => ({
  conversation_hash: 'h1',
  model: 'gpt-4-0314',
  timestamp: '2023-04-09T00:02:53',
  language: 'English',
  turn: 1,
  toxic: false,
  conversation: [
    { role: 'user', content: 'hi', language: 'English', hashed_ip: 'ip1', country: 'France', timestamp: null },
    { role: 'assistant', content: 'hello', language: 'English', timestamp: '2023-04-09 02:02:50+02:00' },
  ],
  ...given,
});

it('becomes a conversation of the hashed address that asked', () => {
  expect(decoded(record(), WILDCHAT).turns).toMatchObject([
    { conversationId: 'h1', turn: 0, role: 'user', occurredAt: '2023-04-09T00:02:53.000Z', userId: 'ip1', model: null },
    {
      conversationId: 'h1',
      turn: 1,
      role: 'assistant',
      occurredAt: '2023-04-09T00:02:50.000Z',
      userId: 'ip1',
      model: 'gpt-4-0314',
      metadata: { language: 'English' },
    },
  ]);
});

it('is read as the first release wrote it, and with times in milliseconds', () => {
  const { conversation_hash: _, ...rest } = record({ timestamp: 1_680_998_573_000 });
  const [turn] = decoded({ ...rest, conversation_id: 'h2' }, WILDCHAT).turns;
  expect(turn).toMatchObject({ conversationId: 'h2', occurredAt: '2023-04-09T00:02:53.000Z' });
});

it('has the time of the record where it says none', () => {
  const conversation = [{ role: 'user', content: 'hi' }];
  expect(decoded(record({ timestamp: null, conversation }), WILDCHAT).turns[0]!.occurredAt).toBe(
    '2026-01-02T03:04:05.000Z',
  );
});

it.each([
  ['a time that is none', record({ timestamp: 'spring' }), 'invalid', /^timestamp: /],
  ['a time beyond all calendars', record({ timestamp: 1e15 }), 'invalid', /^timestamp: /],
  ['no messages', record({ conversation: [] }), 'empty', /^conversation/],
  ['a role that is not known', record({ conversation: [{ role: 'x' }] }), 'invalid', /^conversation\.0\.role/],
] as const)('rejects %s', (_, value, reason, detail) => {
  expect(decode(value, WILDCHAT)).toMatchObject({ outcome: 'rejected', reason, detail: expect.stringMatching(detail) });
});
