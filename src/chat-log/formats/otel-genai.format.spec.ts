import { describe, expect, it } from 'vitest';
import { as, decode, decoded } from '../../../test/factories/records.js';

const OTEL = as('application/vnd.driftloop.otel.genai+json');
const text = (content: string) => ({ type: 'text', content });
const input = [{ role: 'user', parts: [text('Weather in Paris?')] }];
const output = [{ role: 'assistant', parts: [text('Rainy.')], finish_reason: 'stop' }];
const event = (attributes: object = {}) => ({
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.conversation.id': 'c1',
  'gen_ai.request.model': 'gpt-x',
  'gen_ai.input.messages': input,
  'gen_ai.output.messages': output,
  ...attributes,
});
const said = (value: unknown) =>
  decoded(value, OTEL).turns.map(({ turn, role, content }) => [turn, role, content] as const);
const CONVERSATION = [
  [0, 'user', 'Weather in Paris?'],
  [1, 'assistant', 'Rainy.'],
];

describe('OpenTelemetry GenAI events', () => {
  it('become the conversation and its reply, written by the model that answered', () => {
    const { turns } = decoded(event({ 'gen_ai.response.model': 'gpt-x-01', 'user.id': 'u1' }), OTEL);
    expect(turns).toMatchObject([
      { conversationId: 'c1', content: 'Weather in Paris?', model: null, userId: 'u1' },
      { conversationId: 'c1', content: 'Rainy.', model: 'gpt-x-01', userId: 'u1' },
    ]);
  });

  it('are read with their attributes apart, too', () => {
    expect(said({ name: 'gen_ai.client.inference.operation.details', attributes: event() })).toEqual(CONVERSATION);
  });

  it('have their system instructions as turn 0', () => {
    const expected = [
      [0, 'system', 'Be brief.'],
      ...CONVERSATION.map(([turn, ...rest]) => [Number(turn) + 1, ...rest]),
    ];
    expect(said(event({ 'gen_ai.system_instructions': [text('Be brief.')] }))).toEqual(expected);
    const old = { role: 'system', message: text('Be brief.') };
    expect(said(event({ 'gen_ai.system_instructions': old }))).toEqual(expected);
  });

  it('are read under the names of before v1.37, as JSON text in the form of OpenAI', () => {
    const old = {
      'gen_ai.conversation.id': 'c1',
      'gen_ai.prompt': JSON.stringify([{ role: 'user', content: 'Weather in Paris?' }]),
      'gen_ai.completion': JSON.stringify([{ role: 'assistant', content: 'Rainy.' }]),
    };
    expect(said(old)).toEqual(CONVERSATION);
  });

  it('keep tool calls, results and media, and render them', () => {
    const call = { type: 'tool_call', id: 'call_1', name: 'weather', arguments: { city: 'Paris' } };
    const blob = { type: 'blob', modality: 'image', mime_type: 'image/png', content: 'AAAA' };
    const messages = [
      { role: 'user', parts: [text('Weather here?'), blob, { type: 'file', modality: 'audio', file_id: 'f' }] },
      { role: 'model', parts: [{ type: 'reasoning', content: 'hmm' }, call] },
      {
        role: 'tool',
        parts: [
          { type: 'tool_call_response', id: 'call_1', response: { sky: 'grey' } },
          { type: 'tool_call_response', id: 'call_2', result: 'rainy' },
        ],
      },
    ];
    const { turns } = decoded(event({ 'gen_ai.input.messages': messages }), OTEL);
    expect(turns.map(({ role, content }) => [role, content])).toEqual([
      ['user', 'Weather here?\n[image]\n[audio]'],
      ['assistant', '[tool call: weather]'],
      ['tool', '{"sky":"grey"}\nrainy'],
      ['assistant', 'Rainy.'],
    ]);
    expect(turns[0]!.parts).toContainEqual(blob);
    expect(turns[1]!.parts).toEqual([call]);
  });

  it('give a reply the same hash as the next event, which repeats it without its reasoning', () => {
    const thought = [{ role: 'assistant', parts: [{ type: 'reasoning', content: 'hmm' }, text('Rainy.')] }];
    const reply = decoded(event({ 'gen_ai.output.messages': thought }), OTEL).turns[1]!;
    const history = [...input, { role: 'assistant', parts: [text('Rainy.')] }];
    const next = decoded(event({ 'gen_ai.input.messages': history, 'gen_ai.output.messages': null }), OTEL).turns[1]!;
    expect(next.sha256).toBe(reply.sha256);
  });

  it('leave several choices to the next event', () => {
    expect(said(event({ 'gen_ai.output.messages': [...output, ...output] }))).toEqual(CONVERSATION.slice(0, 1));
  });

  it('replace what PostgreSQL cannot hold inside of JSON text', () => {
    const messages = String.raw`[{"role":"user","parts":[{"type":"text","content":"a\u0000b"}]}]`;
    expect(said({ 'gen_ai.input.messages': messages })).toEqual([[0, 'user', 'a\ufffdb']]);
  });
});

describe("logs in OTLP's JSON encoding", () => {
  const value = (given: unknown): object => {
    if (Array.isArray(given)) return { arrayValue: { values: given.map(value) } };
    if (typeof given === 'object' && given !== null) return { kvlistValue: { values: list(given) } };
    return typeof given === 'number' ? { intValue: String(given) } : { stringValue: given };
  };
  const list = (given: object) => Object.entries(given).map(([key, item]) => ({ key, value: value(item) }));
  const record = (attributes: object, timeUnixNano?: unknown) => ({ timeUnixNano, attributes: list(attributes) });
  const logs = (...logRecords: object[]) => ({
    resourceLogs: [{ resource: { attributes: list({ 'user.id': 'u1' }) }, scopeLogs: [{ scope: {}, logRecords }] }],
  });

  it('hold several events, each at its own time', () => {
    const other = event({ 'gen_ai.conversation.id': 'c2', 'gen_ai.usage.input_tokens': 5 });
    const given = logs(record(event(), '1767323045123456789'), record(other, 1767323046000000000), record({ x: 'y' }));
    expect(
      decoded(given, OTEL).turns.map(({ conversationId, turn, occurredAt, userId }) => [
        conversationId,
        turn,
        occurredAt,
        userId,
      ]),
    ).toEqual([
      ['c1', 0, '2026-01-02T03:04:05.123Z', 'u1'],
      ['c1', 1, '2026-01-02T03:04:05.123Z', 'u1'],
      ['c2', 0, '2026-01-02T03:04:06.000Z', 'u1'],
      ['c2', 1, '2026-01-02T03:04:06.000Z', 'u1'],
    ]);
  });

  it('have the messages in the attributes or in the body', () => {
    const { 'gen_ai.input.messages': _, ...rest } = event();
    const body = value({ 'gen_ai.input.messages': input });
    expect(said(logs({ ...record(rest), body }))).toEqual(CONVERSATION);
  });

  it('may name user and conversation by numbers, also those that only a text can hold', () => {
    const given = { ...event(), 'user.id': 7, 'gen_ai.conversation.id': 1 };
    const attributes = list(given).map(({ key, value }) =>
      key === 'gen_ai.conversation.id' ? { key, value: { intValue: '9007199254740993' } } : { key, value },
    );
    expect(decoded(logs({ attributes }), OTEL).turns[0]).toMatchObject({
      userId: '7',
      conversationId: '9007199254740993',
    });
  });

  it('keep events apart that name no conversation and no user', () => {
    const bare = { 'gen_ai.input.messages': input };
    const scopeLogs = [{ logRecords: [record(bare), record(bare)] }];
    const ids = decoded({ resourceLogs: [{ scopeLogs }] }, OTEL).turns.map(({ conversationId }) => conversationId);
    expect(new Set(ids).size).toBe(2);
  });

  it.each([
    ['no messages', logs(record({ 'gen_ai.operation.name': 'chat' })), 'empty', /^gen_ai\.input\.messages/],
    ['an event without messages', { 'gen_ai.operation.name': 'chat' }, 'empty', /^gen_ai\.input\.messages/],
    [
      'text that is nested too deeply',
      event({ 'gen_ai.input.messages': '['.repeat(65) }),
      'invalid',
      /^gen_ai\.input\.messages: .*too deeply/,
    ],
    ['text that is not JSON', event({ 'gen_ai.input.messages': 'Weather in Paris?' }), 'invalid', /not JSON/],
    [
      'a role that is not known',
      event({ 'gen_ai.input.messages': [{ role: 'x', parts: [] }] }),
      'invalid',
      /^gen_ai\.input\.messages\.0\.role/,
    ],
    [
      'a part without a type',
      event({ 'gen_ai.output.messages': [{ role: 'assistant', parts: [{}] }] }),
      'invalid',
      /^gen_ai\.output\.messages\.0\.parts\.0\.type/,
    ],
    ['logs that are no list', { resourceLogs: {} }, 'invalid', /^resourceLogs/],
    ['a list', [event()], 'empty', /./],
  ] as const)('are rejected with %s', (_, given, reason, detail) => {
    expect(decode(given, OTEL)).toMatchObject({ outcome: 'rejected', reason, detail: expect.stringMatching(detail) });
  });
});
