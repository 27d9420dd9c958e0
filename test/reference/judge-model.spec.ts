import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.js';
import { ExchangeJudge } from '../../src/dsat/judge/exchange-judge.js';
import { DEFAULT_RUBRIC, type FoundItem } from '../../src/dsat/judge/rubric.js';
import { JudgeClient } from '../../src/dsat/llm/judge-client.js';
import { resolveModelDir } from '../../src/model/default-model.js';
import { Tokenizer } from '../../src/model/tokenizer.js';
import { createTfjsEngine } from '../../src/training/engine/tfjs.engine.js';
import { type ServedModel, serveFreely, serveInForm } from '../factories/model-server.js';
import type { OpenAiServer } from '../factories/openai-server.js';

// A model of 135M judges nobody well: what counts is that a real one's answers come through, or are not believed.
const modelDir = resolveModelDir(loadConfig({ DRIFTLOOP_CACHE: process.env.DRIFTLOOP_CACHE }));
let model: ServedModel;
let server: OpenAiServer;
beforeAll(async () => {
  model = { policy: await createTfjsEngine().load(modelDir), tokenizer: Tokenizer.load(modelDir) };
}, 120_000);
afterEach(() => server.stop());
afterAll(() => model.policy.dispose());

const EXCHANGE = { prompt: 'Sort a list.', reply: 'Call sort.', userTurn: 'That does not work, I get a TypeError.' };

function judge() {
  const settings = {
    ...{ url: server.url, model: 'smollm2', dailyTokens: 1e6, timeoutMs: 240_000, batch: 1, concurrency: 1 },
    prices: { input: 0, output: 0 },
  };
  const budget = { reserve: async (tokens: number) => ({ day: '', tokens }), settle: async () => {} };
  const client = new JudgeClient({ settings, budget });
  const cache = { hash: ({ userTurn }: typeof EXCHANGE) => userTurn, read: async () => new Map(), write: async () => {} };
  // Two items keep the prompt short.
  const items = DEFAULT_RUBRIC.items.filter(({ id }) => id === 'D1' || id === 'S1');
  return new ExchangeJudge({ client, rubric: { ...DEFAULT_RUBRIC, items }, cache });
}

it('does not believe a model that does not keep to the form', async () => {
  server = await serveFreely(model, 24);
  expect(await judge().judge([EXCHANGE])).toEqual([{ outcome: 'unparseable' }]);
  expect(server.requests).toHaveLength(2);
});

it('takes the word of a model that is held to the form', async () => {
  const finding = (...items: FoundItem[]) => ({ exchanges: [{ exchange: 1, items }] });
  const allowed = [finding({ item: 'D1', impact: 9 }), finding({ item: 'S1', impact: 9 })];
  server = await serveInForm(model, allowed);
  const [judgement] = await judge().judge([EXCHANGE]);
  expect(judgement).toMatchObject({ outcome: 'asked', label: expect.stringMatching(/^(dsat|sat)$/) });
  expect(server.requests).toHaveLength(1);
});
