import { describe, expect, it } from 'vitest';
import { as, decode, decoded, type Given } from '../../test/factories/records.js';
import { turnEvent } from '../../test/factories/turns.js';
import { MAX_RECORD_TURNS } from './decode-record.js';
import { FORMATS } from './formats/registry.js';
import { MAX_RECORD_BYTES } from './record-value.js';
import { MAX_TURN_BYTES } from './turn.js';

const SHAREGPT = as('application/vnd.driftloop.sharegpt+json');
const OPENAI = as('application/vnd.driftloop.openai.messages+json');
const DRIFT = as('application/vnd.driftloop.drift+json');

describe('decodeRecord, plain turn events', () => {
  it('reads a turn with all its fields', () => {
    const event = turnEvent({
      turn: 3,
      tenant: 't',
      userId: 'u',
      policyVersion: 'v1',
      model: 'm',
      metadata: { cohort: 'new' },
      feedback: { kind: 'thumbs', value: 'down' },
    });
    const { turns, feedback } = decoded(event);
    expect(turns[0]).toMatchObject({
      conversationId: 'conversation',
      turn: 3,
      role: 'assistant',
      content: 'turn 3',
      parts: null,
      tenant: 't',
      userId: 'u',
      policyVersion: 'v1',
      model: 'm',
      metadata: { cohort: 'new' },
    });
    expect(feedback).toEqual([
      { conversationId: 'conversation', turn: 3, kind: 'thumbs', value: 'down', occurredAt: event.occurredAt },
    ]);
  });

  it('reads feedback that comes by itself', () => {
    const event = {
      schema: 'driftloop.feedback.v1',
      conversationId: 'c',
      turn: 1,
      feedback: { kind: 'regenerate' },
      occurredAt: '2026-01-01T00:00:00Z',
    };
    expect(decoded(event)).toMatchObject({ turns: [], feedback: [{ turn: 1, kind: 'regenerate', value: null }] });
  });

  it('hashes role and content, and nothing else', () => {
    const hash = (given: Parameters<typeof turnEvent>[0]) => decoded(turnEvent(given)).turns[0]!.sha256;
    expect(hash({ model: 'm', occurredAt: '2026-05-05T00:00:00Z' })).toBe(hash({}));
    expect(hash({ content: [{ type: 'text', text: 'turn 0' }] })).toBe(hash({}));
    expect(hash({ role: 'system' })).not.toBe(hash({}));
    expect(hash({ content: 'other' })).not.toBe(hash({}));
  });

  it('takes a turn of the most bytes, in another script, and none that has more', () => {
    const most = 'न'.repeat(Math.floor(MAX_TURN_BYTES / 3));
    expect(decoded(turnEvent({ content: most })).turns[0]!.content).toBe(most);
    expect(decode(turnEvent({ content: `${most}नन` }))).toMatchObject({ outcome: 'rejected', reason: 'too-large' });
  });

  it('says that it replaced what PostgreSQL cannot hold', () => {
    const record = decoded(JSON.stringify(turnEvent()).replace('turn 0', String.raw`a\u0000b\udfff`));
    expect(record.turns[0]!.content).toBe('a\ufffdb\ufffd');
    expect(record.sanitised).toBe(true);
  });
});

describe('decodeRecord, ShareGPT', () => {
  const conversations = [
    { from: 'human', value: 'hi' },
    { from: 'gpt', value: 'hello' },
  ];

  it('makes turns of a conversation, at the time of the record', () => {
    const { turns } = decoded({ id: 'abc', conversations }, SHAREGPT);
    expect(
      turns.map(({ conversationId, turn, role, content, occurredAt }) => [
        conversationId,
        turn,
        role,
        content,
        occurredAt,
      ]),
    ).toEqual([
      ['abc', 0, 'user', 'hi', '2026-01-02T03:04:05.000Z'],
      ['abc', 1, 'assistant', 'hello', '2026-01-02T03:04:05.000Z'],
    ]);
  });

  it('puts a window at its place in the whole conversation', () => {
    const { turns } = decoded({ id: 'J410_gdS_7', conversations }, SHAREGPT);
    expect(turns.map(({ conversationId, turn }) => [conversationId, turn])).toEqual([
      ['J410_gdS', 7],
      ['J410_gdS', 8],
    ]);
  });
});

describe('decodeRecord, OpenAI messages', () => {
  it('keeps tool calls and content parts, and renders them', () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } };
    const image = { type: 'image_url', image_url: { url: 'https://example.org/sky.png' } };
    const record = {
      model: 'gpt-x',
      user: 'u1',
      metadata: { conversation_id: 'c9', tenant: 'acme', cohort: 'beta' },
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'Weather?' }, image] },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
        { role: 'assistant', content: 'It is sunny.' },
      ],
    };
    const { turns } = decoded(record, OPENAI);
    expect(turns.map(({ role, content, model }) => [role, content, model])).toEqual([
      ['system', 'Be brief.', null],
      ['user', 'Weather?\n[image]', null],
      ['assistant', '[tool call: weather]', 'gpt-x'],
      ['tool', 'sunny', null],
      ['assistant', 'It is sunny.', 'gpt-x'],
    ]);
    expect(turns.map(({ parts }) => parts)).toEqual([
      null,
      [{ type: 'text', text: 'Weather?' }, image],
      [call],
      [{ type: 'tool_result', tool_call_id: 'call_1', content: 'sunny' }],
      null,
    ]);
    expect(turns[0]).toMatchObject({
      conversationId: 'c9',
      tenant: 'acme',
      userId: 'u1',
      metadata: { cohort: 'beta' },
    });
  });

  it('derives the conversation from tenant, user and key, and else from the record itself', () => {
    const messages = [{ role: 'user', content: 'hi' }];
    const id = (record: object, given: Given) =>
      decoded({ messages, ...record }, { ...OPENAI, ...given }).turns[0]!.conversationId;
    expect(id({ user: 'u' }, { key: 'k' })).toBe(id({ user: 'u' }, { key: 'k', offset: '8' }));
    expect(id({ user: 'u' }, { key: 'k' })).not.toBe(id({ user: 'u2' }, { key: 'k' }));
    expect(id({}, {})).toBe(id({}, {}));
    expect(id({}, {})).not.toBe(id({}, { offset: '8' }));
  });
});

describe("decodeRecord, DRIFT's own JSONL", () => {
  it('becomes a conversation that ends in the rejected reply and what the user said of it', () => {
    const record = {
      prompt: [{ role: 'user', content: 'Write a poem.' }],
      rejected: [{ role: 'assistant', content: 'No.' }],
      user_preference: { role: 'user', content: 'I wanted a poem!' },
    };
    expect(decoded(record, DRIFT).turns.map(({ turn, role, content }) => [turn, role, content])).toEqual([
      [0, 'user', 'Write a poem.'],
      [1, 'assistant', 'No.'],
      [2, 'user', 'I wanted a poem!'],
    ]);
  });
});

describe('decodeRecord, what it does not take', () => {
  const deep = `{"schema":"driftloop.turn.v1","conversationId":"c","turn":0,"role":"user","occurredAt":"2026-01-01T00:00:00Z","content":[{"type":"x","y":${'['.repeat(50_000)}${']'.repeat(50_000)}}]}`;

  it.each([
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), {}, 'undecodable', /UTF-8/],
    ['no JSON', '{"schema":', {}, 'undecodable', /not JSON/],
    ['no value', null, {}, 'undecodable', /no value/],
    ['a record that is too large', Buffer.alloc(MAX_RECORD_BYTES + 1, ' '), {}, 'too-large', /over 8388608/],
    [
      'a conversation of too many turns',
      { messages: Array(MAX_RECORD_TURNS + 1).fill({ role: 'user' }) },
      OPENAI,
      'too-large',
      /over 10000 turns/,
    ],
    ['a form that nothing names', { messages: [] }, {}, 'unknown-format', /content-type/],
    ['a value that is no object', '[1]', {}, 'unknown-format', /schema/],
    ['a form that is not known', {}, as('application/vnd.other+json'), 'unknown-format', /vnd\.other/],
    ['a schema version that is not known', { schema: 'driftloop.turn.v2' }, {}, 'unknown-schema', /turn\.v2/],
    ['a schema that is no text', { schema: { toString: 1 } }, {}, 'unknown-schema', /^schema: /],
    ['a turn without a role', { ...turnEvent(), role: undefined }, {}, 'invalid', /^role: /],
    ['a turn below 0', turnEvent({ turn: -1 }), {}, 'invalid', /^turn: /],
    ['a time that is none', turnEvent({ occurredAt: 'yesterday' }), {}, 'invalid', /^occurredAt: /],
    ['metadata that is not flat', { ...turnEvent(), metadata: { a: { b: 1 } } }, {}, 'invalid', /^metadata\.a: /],
    ['a value that is nested too deeply', deep, {}, 'invalid', /nested/],
    ['an empty ShareGPT conversation', { id: 'a_0', conversations: [] }, SHAREGPT, 'empty', /conversations/],
    [
      'a speaker that is not known',
      { conversations: [{ from: 'x', value: '' }] },
      SHAREGPT,
      'invalid',
      /^conversations\.0\.from/,
    ],
    ['an empty list of messages', { messages: [] }, OPENAI, 'empty', /messages/],
    [
      'a message with content of no known kind',
      { messages: [{ role: 'user', content: 5 }] },
      OPENAI,
      'invalid',
      /^messages\.0\.content/,
    ],
    [
      'an empty DRIFT prompt',
      { prompt: [], rejected: [{ role: 'assistant', content: '' }], user_preference: { role: 'user', content: '' } },
      DRIFT,
      'empty',
      /prompt/,
    ],
  ] as const)('rejects %s', (_, value, given, reason, detail) => {
    expect(decode(value, given)).toEqual({ outcome: 'rejected', reason, detail: expect.stringMatching(detail) });
  });

  it('takes no turn of a record of which one is bad', () => {
    const messages = [
      { role: 'user', content: 'fine' },
      { role: 'nobody', content: 'bad' },
    ];
    expect(decode({ messages }, OPENAI)).toMatchObject({
      reason: 'invalid',
      detail: expect.stringMatching(/^messages\.1\.role/),
    });
  });

  it('never repeats the text of a user', () => {
    const rejected = [
      decode('my secret'),
      decode(turnEvent({ occurredAt: 'my secret' })),
      decode({ ...turnEvent(), role: 'my secret' }),
    ];
    expect(JSON.stringify(rejected)).not.toContain('secret');
  });
});

describe('the names of forms', () => {
  const event = turnEvent();

  it('are content types, whatever their case and parameters', () => {
    expect(decode(event, as('Application/vnd.driftloop.turn.v1+JSON; charset=utf-8')).outcome).toBe('decoded');
    expect(decode(event, { headers: { 'Content-Type': Buffer.from('application/json') } }).outcome).toBe('decoded');
  });

  it('are CloudEvents types, which win over the content type of the data', () => {
    const { schema: _, ...data } = event;
    expect(
      decode(
        { ...data, schema: 'driftloop.turn.v1' },
        { headers: { ce_type: 'driftloop.turn.v1', 'content-type': 'text/plain' } },
      ).outcome,
    ).toBe('decoded');
    expect(
      decode({ conversations: [] }, { headers: { ce_type: 'sharegpt', 'content-type': 'application/json' } }),
    ).toMatchObject({ reason: 'empty' });
  });

  it('are unique', () => {
    const names = FORMATS.flatMap(({ name, contentType }) => [name, contentType]);
    expect(new Set(names).size).toBe(names.length);
  });
});
