import { describe, expect, it } from 'vitest';
import { as, decode, decoded } from '../../test/factories/records.js';
import { turnEvent } from '../../test/factories/turns.js';

const messages = [{ role: 'user', content: 'hi' }];
const OPENAI_TYPE = 'application/vnd.driftloop.openai.messages+json';
const STRUCTURED = as('application/cloudevents+json; charset=UTF-8');
const binary = (headers: Record<string, string>) => ({
  headers: { ce_specversion: '1.0', ce_id: '1', ce_source: '/chat', ...headers },
});
const event = (given: object) => ({ specversion: '1.0', id: '1', source: '/chat', type: 'openai.messages', ...given });

describe('CloudEvents in binary mode', () => {
  it('give conversation and time to a form that names none itself', () => {
    const headers = { ce_type: 'openai.messages', ce_subject: 'c7', ce_time: '2026-03-01T10:00:00+01:00' };
    const [turn] = decoded({ messages }, binary(headers)).turns;
    expect(turn).toMatchObject({ conversationId: 'c7', occurredAt: '2026-03-01T10:00:00+01:00', content: 'hi' });
  });

  it('leave conversation and time to a form that names them', () => {
    const headers = { ce_type: 'driftloop.turn.v1', ce_subject: 'other', ce_time: '2020-01-01T00:00:00Z' };
    const given = turnEvent();
    expect(decoded(given, binary(headers)).turns[0]).toMatchObject({
      conversationId: given.conversationId,
      occurredAt: given.occurredAt,
    });
  });

  it("may have a type of the producer's own where the content type names the form", () => {
    const headers = { ce_type: 'com.example.chat', 'content-type': OPENAI_TYPE, ce_subject: 'c8' };
    expect(decoded({ messages }, binary(headers)).turns[0]!.conversationId).toBe('c8');
  });

  it("may have a type of the producer's own where the data's schema names the form", () => {
    const headers = { ce_type: 'com.example.chat', 'content-type': 'application/json' };
    expect(decoded(turnEvent(), binary(headers)).turns).toHaveLength(1);
  });
});

describe('CloudEvents in structured mode', () => {
  it('have their data in the envelope', () => {
    const [turn] = decoded(
      event({ subject: 'c9', time: '2026-03-01T10:00:00Z', data: { messages } }),
      STRUCTURED,
    ).turns;
    expect(turn).toMatchObject({ conversationId: 'c9', occurredAt: '2026-03-01T10:00:00Z', content: 'hi' });
  });

  it('may have it in base64', () => {
    const data_base64 = Buffer.from(JSON.stringify({ messages })).toString('base64');
    expect(decoded(event({ subject: 'c9', data_base64 }), STRUCTURED).turns[0]!.content).toBe('hi');
  });

  it('name the form by datacontenttype where the type is none', () => {
    const given = event({ type: 'com.example.chat', datacontenttype: OPENAI_TYPE, data: { messages } });
    expect(decoded(given, STRUCTURED).turns[0]!.content).toBe('hi');
  });

  it('win over ce_ headers, which may repeat the attributes', () => {
    const headers = { ...STRUCTURED.headers, ce_type: 'sharegpt', ce_subject: 'other' };
    expect(decoded(event({ subject: 'c9', data: { messages } }), { headers }).turns[0]!.conversationId).toBe('c9');
  });

  it('say that a text in their data had to be changed', () => {
    const data_base64 = Buffer.from(String.raw`{"messages":[{"role":"user","content":"a\u0000"}]}`).toString('base64');
    expect(decoded(event({ data_base64 }), STRUCTURED)).toMatchObject({
      sanitised: true,
      turns: [{ content: 'a\ufffd' }],
    });
  });
});

describe('CloudEvents that are not taken', () => {
  it.each([
    [
      'another version, binary',
      { messages },
      binary({ ce_type: 'openai.messages', ce_specversion: '0.3' }),
      'unknown-schema',
      /0\.3/,
    ],
    ['another version, structured', event({ specversion: '2.0', data: {} }), STRUCTURED, 'unknown-schema', /2\.0/],
    [
      'a version that is no text',
      event({ specversion: { toString: 1 }, data: {} }),
      STRUCTURED,
      'unknown-schema',
      /^specversion: /,
    ],
    ['no id', event({ id: '', data: { messages } }), STRUCTURED, 'invalid', /^id: /],
    ['no source', { ...event({ data: { messages } }), source: undefined }, STRUCTURED, 'invalid', /^source: /],
    ['a time that is none', { messages }, binary({ ce_type: 'openai.messages', ce_time: 'now' }), 'invalid', /^time: /],
    [
      'a subject that is too long',
      { messages },
      binary({ ce_type: 'openai.messages', ce_subject: 'x'.repeat(513) }),
      'invalid',
      /^subject: /,
    ],
    ['no data', event({}), STRUCTURED, 'invalid', /^value: /],
    ['data that is no base64', event({ data_base64: '***' }), STRUCTURED, 'invalid', /^data_base64: /],
    ['base64 that holds no JSON', event({ data_base64: 'AAAA' }), STRUCTURED, 'undecodable', /not JSON/],
    ['an event format that is not JSON', '{}', as('application/cloudevents+avro'), 'unknown-format', /avro/],
    ['a batch', [event({ data: { messages } })], as('application/cloudevents-batch+json'), 'unknown-format', /batch/],
    [
      'a form that nothing names',
      { messages },
      binary({ ce_type: 'com.example.chat' }),
      'unknown-format',
      /com\.example\.chat/,
    ],
    [
      'data in a form that is not known',
      { messages },
      binary({ ce_type: 'com.example.chat', 'content-type': 'application/xml' }),
      'unknown-format',
      /com\.example\.chat/,
    ],
  ] as const)('have %s', (_, value, given, reason, detail) => {
    expect(decode(value, given)).toEqual({ outcome: 'rejected', reason, detail: expect.stringMatching(detail) });
  });
});
