import { setTimeout as sleep } from 'node:timers/promises';
import { register } from 'prom-client';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JudgeSettings } from '../../src/config/judge-keys.js';
import { createDataSource } from '../../src/database/data-source.js';
import { AnswerCache } from '../../src/dsat/judge/answer-cache.js';
import { ExchangeJudge } from '../../src/dsat/judge/exchange-judge.js';
import { DEFAULT_RUBRIC } from '../../src/dsat/judge/rubric.js';
import { DailyBudget } from '../../src/dsat/llm/daily-budget.js';
import { JudgeClient } from '../../src/dsat/llm/judge-client.js';
import { answer, exchangesOf, OpenAiServer, refuse, scoreByWord } from '../factories/openai-server.js';
import { testPrivacy } from '../factories/privacy.js';
import { createTestDatabase, type TestDatabase } from '../stack.js';

const exchange = (userTurn: string) => ({ prompt: 'Sort a list.', reply: 'Call sort.', userTurn });
const BAD = exchange('BAD, it does not work');

let database: TestDatabase;
let dataSource: DataSource;
let server: OpenAiServer;
beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await createDataSource(database.url, 6).initialize();
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});
beforeEach(async () => {
  await dataSource.query('TRUNCATE judge_answers, judge_spend');
  server = await OpenAiServer.start(scoreByWord);
});
afterEach(() => server.stop());

const settingsWith = (given: Partial<JudgeSettings>): JudgeSettings => ({
  url: server.url,
  model: 'small',
  dailyTokens: 1_000_000,
  timeoutMs: 5_000,
  batch: 2,
  concurrency: 2,
  prices: { input: 2, output: 10 },
  ...given,
});

/** A judge as another process would have it. */
function judgeWith(given: Partial<JudgeSettings> = {}): ExchangeJudge {
  const settings = settingsWith(given);
  const budget = new DailyBudget(dataSource, settings.dailyTokens);
  const client = new JudgeClient({ settings, budget, backoff: { firstMs: 5, maxMs: 10 } });
  const cache = new AnswerCache(dataSource, testPrivacy().pseudonyms, settings.model);
  return new ExchangeJudge({ client, rubric: DEFAULT_RUBRIC, cache });
}

const outcomes = async (judge: ExchangeJudge, exchanges = [BAD]) =>
  (await judge.judge(exchanges)).map(({ outcome }) => outcome);
const spend = async () =>
  (await dataSource.query('SELECT tokens::int, requests::int FROM judge_spend')) as {
    tokens: number;
    requests: number;
  }[];

describe('the judge', () => {
  it('gives each exchange a label, probabilities and a reason, several in a request', async () => {
    const judge = judgeWith({ apiKey: 'secret' });
    const [bad, good, none] = await judge.judge([BAD, exchange('GOOD, thanks'), exchange('And a dict?')]);
    expect(bad).toMatchObject({ outcome: 'asked', label: 'dsat', rubric: 'not-working' });
    expect(good).toMatchObject({ outcome: 'asked', label: 'sat', rubric: null });
    expect(none).toMatchObject({ outcome: 'asked', label: 'neutral', rubric: null });
    const { dsat, sat, neutral } = (bad as { probabilities: Record<string, number> }).probabilities;
    expect(dsat).toBeGreaterThan(0.7);
    expect(dsat! + sat! + neutral!).toBeCloseTo(1);
    expect(server.requests).toHaveLength(2);
    const [{ authorization, body }] = server.requests as [(typeof server.requests)[0]];
    expect(authorization).toBe('Bearer secret');
    expect(body).toMatchObject({
      model: 'small',
      response_format: { type: 'json_schema', json_schema: { strict: true } },
    });
    expect(JSON.stringify(body.response_format)).toContain('"additionalProperties":false');
  });

  it('asks about the same content once, also when it is another process, and again with another model', async () => {
    expect(await outcomes(judgeWith(), [BAD, BAD])).toEqual(['asked', 'asked']);
    expect(exchangesOf(server.requests[0]!)).toHaveLength(1);
    expect(await outcomes(judgeWith())).toEqual(['cached']);
    expect(server.requests).toHaveLength(1);
    expect(await outcomes(judgeWith({ model: 'large' }))).toEqual(['asked']);
  });

  it('stores names of contents that nobody can make without the key, and no text', async () => {
    await judgeWith().judge([BAD]);
    const [row] = await dataSource.query('SELECT * FROM judge_answers');
    expect(row.content_hash).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(row)).not.toContain('work');
  });

  it('counts what the API says it used, against its budget and as cost', async () => {
    const cost = async () => (await register.getSingleMetric('driftloop_judge_cost_total')!.get()).values[0]!.value;
    const before = await cost();
    await judgeWith().judge([BAD]);
    expect(await spend()).toEqual([{ tokens: 110, requests: 1 }]);
    expect((await cost()) - before).toBeCloseTo((100 * 2 + 10 * 10) / 1e6);
  });

  it('stays within the budget of the day, which all processes share', async () => {
    const dailyTokens = 1_500;
    const all = Array.from({ length: 8 }, (_, at) => exchange(`BAD ${at}`));
    const judges = [judgeWith({ dailyTokens, batch: 1 }), judgeWith({ dailyTokens, batch: 1 })];
    const found = (await Promise.all(judges.map((judge, at) => outcomes(judge, all.slice(at * 4, at * 4 + 4))))).flat();
    expect(found.filter((outcome) => outcome === 'over-budget').length).toBeGreaterThan(0);
    expect(found.filter((outcome) => outcome === 'asked').length).toBe(server.requests.length);
    expect((await spend())[0]!.tokens).toBeLessThanOrEqual(dailyTokens);
    expect(await outcomes(judgeWith({ dailyTokens: 10 }))).toEqual(['over-budget']);
  });
});

describe('a judge that fails', () => {
  it('is tried again where that may help', async () => {
    server.behave = (request, response) =>
      server.requests.length < 3
        ? refuse(response, [500, 429][server.requests.length - 1]!)
        : scoreByWord(request, response);
    expect(await outcomes(judgeWith())).toEqual(['asked']);
    expect(server.requests).toHaveLength(3);
    expect(await spend()).toEqual([{ tokens: 110, requests: 3 }]);
  });

  it('is left alone where it asks to wait for longer than anybody does', async () => {
    server.behave = (_, response) => refuse(response, 429, { 'retry-after': '3600' });
    expect(await outcomes(judgeWith())).toEqual(['unavailable']);
    expect(server.requests).toHaveLength(1);
  });

  it.each([400, 401, 404])('is not tried again after %i', async (status) => {
    server.behave = (_, response) => refuse(response, status);
    expect(await outcomes(judgeWith())).toEqual(['unavailable']);
    expect(server.requests).toHaveLength(1);
    expect(await spend()).toEqual([{ tokens: 0, requests: 1 }]);
  });

  it('is not asked for a while after it stayed down', async () => {
    server.behave = (_, response) => refuse(response, 503);
    const judge = judgeWith();
    expect(await outcomes(judge)).toEqual(['unavailable']);
    expect(server.requests).toHaveLength(3);
    expect(await outcomes(judge)).toEqual(['unavailable']);
    expect(server.requests).toHaveLength(3);
  });

  it('is unavailable where nothing listens, and costs nothing', async () => {
    const judge = judgeWith();
    await server.stop();
    expect(await outcomes(judge)).toEqual(['unavailable']);
    expect(await spend()).toEqual([{ tokens: 0, requests: 3 }]);
    server = await OpenAiServer.start(scoreByWord);
  });

  it('that hangs is waited for no longer than the time it has, and what it was sent counts as used', async () => {
    server.behave = () => undefined;
    expect(await outcomes(judgeWith({ timeoutMs: 600 }), [BAD, exchange('x'), exchange('y')])).toEqual(
      Array(3).fill('unavailable'),
    );
    expect((await spend())[0]!.tokens).toBeGreaterThan(1_000);
  });

  it('that is cut off in the middle of an answer is tried again', async () => {
    server.behave = (request, response) => {
      if (server.requests.length > 1) return scoreByWord(request, response);
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
      response.write('{"choices": [{"mess');
      setTimeout(() => response.destroy(), 20);
      return undefined;
    };
    expect(await outcomes(judgeWith())).toEqual(['asked']);
    expect(server.requests).toHaveLength(2);
  });

  it('that answers with something else than a completion is unavailable', async () => {
    server.behave = (_, response) => void response.writeHead(200).end('<html>please log in</html>');
    expect(await outcomes(judgeWith())).toEqual(['unavailable']);
  });

  it('that answers some chunks and not others gives what it has', async () => {
    server.behave = async (request, response) => {
      if (!request.body.messages[1]!.content.includes('slow')) return scoreByWord(request, response);
      await sleep(2_000, undefined, { ref: false });
      return undefined;
    };
    const found = await outcomes(judgeWith({ timeoutMs: 800, batch: 1 }), [BAD, exchange('slow')]);
    expect(found).toEqual(['asked', 'unavailable']);
    expect(await outcomes(judgeWith())).toEqual(['cached']);
  });
});

describe('a judge that talks nonsense', () => {
  const nonsense = {
    'no JSON': 'I think that the user is quite happy.',
    'JSON that is cut off': '{"exchanges": [{"exchange": 1, "items": [{"it',
    'another schema': '{"verdict": "dsat"}',
    'an item that is not in the rubric': '{"exchanges": [{"exchange": 1, "items": [{"item": "D99", "impact": 5}]}]}',
    'an impact out of range': '{"exchanges": [{"exchange": 1, "items": [{"item": "D1", "impact": 50}]}]}',
    'an exchange that was not asked about': '{"exchanges": [{"exchange": 7, "items": []}]}',
    nothing: '',
  };
  it.each(Object.entries(nonsense))('is asked once more, and then not believed: %s', async (_, said) => {
    server.behave = () => said;
    expect(await outcomes(judgeWith())).toEqual(['unparseable']);
    expect(server.requests).toHaveLength(2);
    expect(server.requests[1]!.body.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(await dataSource.query('SELECT FROM judge_answers')).toEqual([]);
  });

  it('is believed once it puts that right', async () => {
    server.behave = (request, response) =>
      server.requests.length === 1 ? 'Sure! {"exchanges": "one"}' : scoreByWord(request, response);
    expect(await outcomes(judgeWith())).toEqual(['asked']);
  });

  it('is believed where only a fence or its thoughts are around the answer', async () => {
    server.behave = async (request, response) =>
      `<think>Hm.</think>\n\`\`\`json\n${await scoreByWord(request, response)}\n\`\`\``;
    expect(await outcomes(judgeWith())).toEqual(['asked']);
    expect(server.requests).toHaveLength(1);
  });

  it('has not judged the exchanges that its answer leaves out', async () => {
    server.behave = (_, response) => answer(response, '{"exchanges": [{"exchange": 2, "items": []}]}') as undefined;
    expect(await outcomes(judgeWith(), [BAD, exchange('And a dict?')])).toEqual(['unparseable', 'asked']);
  });
});
