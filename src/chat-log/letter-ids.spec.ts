import type { KafkaMessage } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { testPrivacy } from '../../test/factories/privacy.js';
import { as, decoded, VALID_RECORDS } from '../../test/factories/records.js';
import { turnEvent } from '../../test/factories/turns.js';
import { tombstoneOf } from '../erasure/tombstones.js';
import { FORMATS } from './formats/registry.js';
import { letterIds, MOST_IDS } from './letter-ids.js';

const { pseudonyms } = testPrivacy();
const user = (id: string) => pseudonyms.userId(id);
const conversation = (id: string) => tombstoneOf(pseudonyms, pseudonyms.conversationId(id));

function idsOf(value: unknown, { key = 'k', headers = {} }: { key?: string; headers?: KafkaMessage['headers'] } = {}) {
  const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  const message = { key: Buffer.from(key), value: bytes, timestamp: '1767323045000', attributes: 0, offset: '7' };
  return letterIds({ ...message, headers }, pseudonyms);
}

describe('the ids of a dead letter', () => {
  it.each(FORMATS.flatMap(({ name, contentType }) => VALID_RECORDS[name]!.map((value) => [name, contentType, value])))(
    'have every user and conversation that decoding %s gives',
    (_, contentType, value) => {
      const { headers } = as(String(contentType));
      const { turns, feedback } = decoded(value, { key: 'k', headers });
      const { ids } = idsOf(value, { headers });
      for (const { conversationId } of [...turns, ...feedback]) expect(ids).toContain(conversation(conversationId));
      for (const { userId } of turns) if (userId) expect(ids).toContain(user(userId));
    },
  );

  it.each([
    ['a turn that is wrong', { ...turnEvent({ conversationId: 'c', userId: 'alice' }), role: 'nobody' }],
    ['ids that are numbers', { conversationId: 7, userId: 8 }, '7', '8'],
    ['a CloudEvent', { subject: 'c', data: { userId: 'alice' } }],
    ['data in base64', { data_base64: Buffer.from('{"conversationId":"c","userId":"alice"}').toString('base64') }],
    ['a review', { reviewId: 'c', reviewer: 'alice' }],
    ['text that is no JSON', '{"conversationId":"c","\\u0075serId" : "alice", "content": "x'],
    ['what is nested too deeply', `{"conversationId":"c","userId":"alice","content":${'['.repeat(100)}`],
    [
      'attributes of OTLP',
      {
        attributes: [
          { key: 'gen_ai.conversation.id', value: { stringValue: 'c' } },
          { key: 'user.id', value: { intValue: '8' } },
        ],
      },
      'c',
      '8',
    ],
  ])('have those of %s', (_, value, conversationId = 'c', userId = 'alice') => {
    expect(idsOf(value).ids).toEqual(expect.arrayContaining([conversation(conversationId), user(userId)]));
  });

  it('have key and headers, as either', () => {
    const { ids } = idsOf('no json', { key: 'a', headers: { 'x-user': 'b' } });
    expect(ids).toEqual(expect.arrayContaining([user('a'), conversation('a'), user('b'), conversation('b')]));
  });

  it("say the earliest time of what was said, else the record's", () => {
    const times = (...occurredAt: string[]) =>
      idsOf(occurredAt.map((time) => ({ occurredAt: time }))).saidAt.toISOString();
    expect(times('2026-02-01T00:00:00+01:00', '2027-01-01T00:00:00Z')).toBe('2026-01-31T23:00:00.000Z');
    expect(times('yesterday')).toBe('2026-01-02T03:04:05.000Z');
    expect(idsOf({ timeUnixNano: '1767225600000000000' }).saidAt.toISOString()).toBe('2026-01-01T00:00:00.000Z');
  });

  it('are those of key and headers where there are too many', () => {
    const { ids, all } = idsOf(Array.from({ length: MOST_IDS }, (_, index) => ({ userId: `u${index}` })));
    expect({ all, ids }).toMatchObject({ all: false, ids: [user('k'), conversation('k')] });
  });
});
