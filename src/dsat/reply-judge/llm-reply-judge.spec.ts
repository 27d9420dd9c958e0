import { afterEach, expect, it } from 'vitest';
import { type Behaviour, OpenAiServer, type ReceivedRequest, refuse } from '../../../test/factories/openai-server.js';
import { JudgeClient } from '../llm/judge-client.js';
import { LlmReplyJudge } from './llm-reply-judge.js';

let server: OpenAiServer;
afterEach(() => server.stop());

async function judgeBy(behave: Behaviour): Promise<LlmReplyJudge> {
  server = await OpenAiServer.start(behave);
  const settings = {
    ...{ url: server.url, model: 'small', dailyTokens: 1e6, timeoutMs: 10_000, batch: 1, concurrency: 2 },
    prices: { input: 0, output: 0 },
  };
  const budget = { reserve: async (tokens: number) => ({ day: '', tokens }), settle: async () => {} };
  return new LlmReplyJudge(new JudgeClient({ settings, budget, backoff: { firstMs: 1, maxMs: 2 } }));
}

const asked = ({ body }: ReceivedRequest) =>
  JSON.parse(body.messages.at(-1)!.content) as Record<'request' | 'feedback' | 'reply' | 'A' | 'B', string>;

const GOOD = 'Paris.';
const BAD = 'I do not know.';
const pair = { prompt: 'What is the capital of France?', first: GOOD, second: BAD };

it('gives the probability that each reply displeases, and shows the model the feedback', async () => {
  const judge = await judgeBy((request) => JSON.stringify({ displeases: asked(request).reply === BAD ? 90 : 5 }));
  const { prompt } = pair;
  expect(
    await judge.score([
      { prompt, reply: GOOD },
      { prompt, reply: BAD, feedback: 'Wrong!' },
    ]),
  ).toEqual([0.05, 0.9]);
  expect(server.requests.map((request) => asked(request).feedback).sort()).toEqual(['Wrong!', undefined]);
});

it('prefers a reply that is called better in both orders', async () => {
  const judge = await judgeBy((request) => JSON.stringify({ better: asked(request).A === GOOD ? 'A' : 'B' }));
  expect(await judge.prefer([pair, { ...pair, first: BAD, second: GOOD }])).toEqual(['first', 'second']);
  expect(server.requests).toHaveLength(4);
});

it.each(['A', 'B', 'tie'])('prefers none where the model says %s whatever the order', async (better) => {
  const judge = await judgeBy(() => JSON.stringify({ better }));
  expect(await judge.prefer([pair])).toEqual(['none']);
});

it('says so where the model is down, or talks nonsense', async () => {
  let judge = await judgeBy((_, response) => refuse(response, 401));
  await expect(judge.score([{ prompt: '', reply: GOOD }])).rejects.toMatchObject({ code: 'judge-unavailable' });
  await server.stop();
  judge = await judgeBy(() => '{"displeases": 900}');
  await expect(judge.prefer([pair])).rejects.toMatchObject({ code: 'judge-unparseable' });
});
