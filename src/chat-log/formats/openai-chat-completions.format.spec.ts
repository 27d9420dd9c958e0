import { expect, it } from 'vitest';
import { as, decode, decoded } from '../../../test/factories/records.js';

const LOG = as('application/vnd.driftloop.openai.chat-completions+json');
const request = {
  model: 'gpt-x',
  safety_identifier: 'u1',
  metadata: { conversation_id: 'c1', tenant: 'acme', cohort: 'beta' },
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Capital of Australia?' },
  ],
};
const choice = (content: string) => ({
  index: 0,
  finish_reason: 'stop',
  message: { role: 'assistant', content, refusal: null, annotations: [] },
});
const response = (...choices: object[]) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1767323000,
  model: 'gpt-x-2026-01-01',
  choices,
  usage: { total_tokens: 9 },
});

it('adds the reply to the conversation that was asked with', () => {
  const { turns } = decoded({ request, response: response(choice('Sydney.')) }, LOG);
  expect(turns.map(({ turn, role, content, model }) => [turn, role, content, model])).toEqual([
    [0, 'system', 'Be brief.', null],
    [1, 'user', 'Capital of Australia?', null],
    [2, 'assistant', 'Sydney.', 'gpt-x-2026-01-01'],
  ]);
  expect(turns[2]).toMatchObject({
    conversationId: 'c1',
    tenant: 'acme',
    userId: 'u1',
    metadata: { cohort: 'beta' },
  });
});

it('gives a reply the same hash as the next request, which repeats it', () => {
  const call = { id: 'call_1', type: 'function', function: { name: 'search', arguments: '{}' } };
  const reply = { role: 'assistant', content: null, tool_calls: [call], refusal: null };
  const first = decoded({ request, response: response({ index: 0, message: reply }) }, LOG).turns[2]!;
  const next = { ...request, messages: [...request.messages, { role: 'assistant', tool_calls: [call] }] };
  expect(decoded({ request: next, response: null }, LOG).turns[2]!.sha256).toBe(first.sha256);
  expect(first).toMatchObject({ content: '[tool call: search]', parts: [call] });
});

it('leaves several choices to the next request, which shows the one that was given', () => {
  expect(decoded({ request, response: response(choice('Sydney.'), choice('Canberra.')) }, LOG).turns).toHaveLength(2);
});

it('takes the conversation of a call that failed', () => {
  expect(decoded({ request, response: { error: { message: 'overloaded' } } }, LOG).turns).toHaveLength(2);
  expect(decoded({ request }, LOG).turns).toHaveLength(2);
});

it('puts a stream together, with the same hash as the answer in one piece', () => {
  const chunk = (delta: object, index = 0) => ({
    object: 'chat.completion.chunk',
    model: 'gpt-x-2026-01-01',
    choices: [{ index, delta, finish_reason: null }],
  });
  const usage = { object: 'chat.completion.chunk', choices: [], usage: { total_tokens: 9 } };
  const streamed = [
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Syd' }),
    chunk({ content: 'ney.' }),
    chunk({}),
    usage,
  ];
  const [, , whole] = decoded({ request, response: response(choice('Sydney.')) }, LOG).turns;
  const { turns } = decoded({ request, response: streamed }, LOG);
  expect(turns[2]).toEqual(whole);
  const calls = [
    chunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'search', arguments: '' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"q"' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }),
  ];
  expect(decoded({ request, response: calls }, LOG).turns[2]!.parts).toEqual([
    { id: 'call_1', type: 'function', function: { name: 'search', arguments: '{"q":1}' } },
  ]);
  expect(decoded({ request, response: [chunk({ content: 'a' }), chunk({ content: 'b' }, 1)] }, LOG).turns).toHaveLength(
    2,
  );
  expect(decoded({ request, response: [] }, LOG).turns).toHaveLength(2);
});

it('keeps spoken answers, as what was said', () => {
  const audio = { id: 'a1', data: 'AAAA', transcript: 'Canberra.' };
  const [, , reply] = decoded(
    { request, response: response({ message: { role: 'assistant', content: null, audio } }) },
    LOG,
  ).turns;
  expect(reply).toMatchObject({ content: 'Canberra.', parts: [{ type: 'output_audio', audio }] });
});

it.each([
  ['no request', { response: response() }, 'invalid', /^request: /],
  ['an empty conversation', { request: { messages: [] } }, 'empty', /^request\.messages/],
  [
    'chunks of something else',
    { request, response: [{ object: 'x', choices: [] }] },
    'invalid',
    /^response\.0\.object/,
  ],
  [
    'a choice without a message',
    { request, response: response({ index: 0 }) },
    'invalid',
    /^response\.choices\.0\.message/,
  ],
] as const)('rejects %s', (_, value, reason, detail) => {
  expect(decode(value, LOG)).toMatchObject({ outcome: 'rejected', reason, detail: expect.stringMatching(detail) });
});
