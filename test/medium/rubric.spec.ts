import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { learn, list, show } from '../../src/cli/rubric.action.js';
import { loadConfig } from '../../src/config/config.js';
import { createDataSource } from '../../src/database/data-source.js';
import { currentRubric } from '../../src/dsat/judge/rubric-store.js';
import { type Behaviour, OpenAiServer, refuse, scoreByWord } from '../factories/openai-server.js';
import { createTestDatabase, type TestDatabase, testEnv } from '../stack.js';

const dir = mkdtempSync(join(tmpdir(), 'driftloop-rubric-'));
const labels = join(dir, 'labels.jsonl');

/** Each label has its word, but a tenth of the turns has another one's. */
const WORDS = { dsat: 'BAD', sat: 'GOOD', neutral: 'AND' } as const;
const labelAt = (at: number) => (['dsat', 'neutral', 'sat', 'neutral'] as const)[at % 4]!;
const lineAt = (at: number) => ({
  conversation: `c${at}`,
  turn: 2,
  label: labelAt(at),
  rubric: labelAt(at) === 'dsat' ? 'complaint' : null,
  messages: [
    { role: 'user', content: 'List the planets.' },
    { role: 'assistant', content: 'Mercury, Venus.' },
    { role: 'user', content: `${at % 10 === 0 ? 'SO' : WORDS[labelAt(at)]} ${at}, says jane.doe@example.com` },
  ],
});

/** A model that learns and judges by words, as a good one would in its own. */
const byWord: Behaviour = (request, response) => {
  const { name } = request.body.response_format.json_schema;
  if (name === 'scored_exchanges') return scoreByWord(request, response);
  if (name === 'dsat_rubric') return '{"items": [{"text": "The user says BAD.", "rubric": "complaint"}]}';
  if (name === 'sat_rubric') return '{"items": [{"text": "The user says GOOD."}]}';
  return '{"reasons": ["The user says a word."]}';
};

let server: OpenAiServer;
let database: TestDatabase;
let dataSource: DataSource;
let output: string[];
beforeEach(async () => {
  server = await OpenAiServer.start(byWord);
  database = await createTestDatabase();
  dataSource = await createDataSource(database.url, 2).initialize();
  writeFileSync(labels, Array.from({ length: 240 }, (_, at) => `${JSON.stringify(lineAt(at))}\n`).join(''));
  const judge = { DRIFTLOOP_JUDGE_URL: server.url, DRIFTLOOP_JUDGE_MODEL: 'small', DRIFTLOOP_JUDGE_TIMEOUT_MS: '9000' };
  const topics = loadConfig({}).topics;
  for (const [key, value] of Object.entries({ ...testEnv(database, topics, dir), ...judge })) vi.stubEnv(key, value);
  output = [];
  vi.spyOn(console, 'log').mockImplementation((line) => void output.push(String(line)));
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await server.stop();
  await dataSource.destroy();
  await database.drop();
});

afterAll(() => rmSync(dir, { recursive: true }));

const options = { labels, items: 5, examples: 12, measure: 100 };

describe('driftloop rubric', () => {
  it('learns items from labels, measures them on other conversations, and stores what a judge goes by', async () => {
    await learn({ ...options, json: true });
    const rubric = JSON.parse(output.at(-1)!);
    expect(rubric.items).toEqual([
      { id: 'D1', kind: 'dsat', text: 'The user says BAD.', rubric: 'complaint' },
      { id: 'S1', kind: 'sat', text: 'The user says GOOD.' },
    ]);
    expect(rubric.learntFrom).toMatchObject({ dsat: 12, sat: 12, unreadable: 0 });
    expect(rubric.learntFrom.judged).toBeGreaterThan(60);
    expect(rubric.figures.dsat.precision).toBe(1);
    expect(rubric.figures.dsat.recall).toBeGreaterThan(0.6);
    expect(rubric.figures.dsat.recall).toBeLessThan(1);
    expect(rubric.figures.dsat.ece).toBeLessThan(0.15);
    expect(await currentRubric(dataSource)).toMatchObject({ version: rubric.version, items: rubric.items });
    await list({});
    expect(output.at(-1)).toContain(rubric.version);
    await show(rubric.version, {});
    expect(output.at(-1)).toContain('The user says GOOD.');
  });

  it('sends labelled texts redacted', async () => {
    await learn(options);
    expect(JSON.stringify(server.requests)).toContain('[email]');
    expect(JSON.stringify(server.requests)).not.toContain('jane.doe');
  });

  it('shows the built-in rubric, which needs no database', async () => {
    await show('default', {});
    expect(output.at(-1)).toContain('not-working');
  });

  it('passes over an example that the model has nothing readable to say of', async () => {
    let hard: string | undefined;
    server.behave = (request, response) => {
      const { content } = request.body.messages[1]!;
      hard ??= content;
      return content === hard ? 'Hm.' : byWord(request, response);
    };
    await learn({ ...options, json: true });
    expect(JSON.parse(output.at(-1)!).learntFrom).toMatchObject({ unreadable: 1 });
  });

  it.each([
    ['talks nonsense only', () => 'Hm.', 'judge-unparseable'],
    ['is down', (_: unknown, response: Parameters<Behaviour>[1]) => refuse(response, 401), 'judge-unavailable'],
  ] as const)('stores nothing of a model that %s', async (_, behave, code) => {
    server.behave = behave as Behaviour;
    await expect(learn(options)).rejects.toMatchObject({ code });
    expect(await dataSource.query('SELECT FROM judge_rubrics')).toEqual([]);
  });

  it('stores nothing where the model goes away while it is measured', async () => {
    server.behave = (request, response) =>
      request.body.response_format.json_schema.name === 'scored_exchanges'
        ? refuse(response, 403)
        : byWord(request, response);
    await expect(learn(options)).rejects.toMatchObject({ code: 'judge-unavailable' });
    expect(await dataSource.query('SELECT FROM judge_rubrics')).toEqual([]);
  });

  it('says which labels are missing, and which settings', async () => {
    writeFileSync(labels, JSON.stringify(lineAt(1)));
    await expect(learn(options)).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('dsat') });
    vi.stubEnv('DRIFTLOOP_JUDGE_URL', '');
    vi.stubEnv('DRIFTLOOP_JUDGE_MODEL', '');
    await expect(learn(options)).rejects.toMatchObject({ code: 'usage' });
  });
});
