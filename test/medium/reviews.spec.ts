import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { recordFinal } from '../../src/anchor/record-final.js';
import { readLabelRecords } from '../../src/cli/records/label-records.js';
import { writeLines } from '../../src/cli/write-lines.js';
import { loadConfig } from '../../src/config/config.js';
import { createDataSource } from '../../src/database/data-source.js';
import type { Label } from '../../src/dsat/verdict.js';
import { insertVerdicts, type JudgedTurn } from '../../src/dsat/verdict-rows.js';
import { labelLines } from '../../src/review/export-reviews.js';
import { recordReview } from '../../src/review/record-review.js';
import { type Service, startService } from '../../src/service.js';
import { insertTurns } from '../factories/anchors.js';
import { insertRun } from '../factories/runs.js';
import { createTestDatabase } from '../stack.js';

const KEYS = { ann: 'key-of-ann-0123456789', bob: 'key-of-bob-0123456789' };
type Reviewer = keyof typeof KEYS;

const dir = await mkdtemp(join(tmpdir(), 'reviews-'));
const database = await createTestDatabase();
const dataSource = createDataSource(database.url, 6);
let service: Service;

beforeAll(async () => {
  await dataSource.initialize();
  await dataSource.query(`INSERT INTO classifier_versions (version, card) VALUES ('c1', '{}')`);
  const config = loadConfig({
    DATABASE_URL: database.url,
    DRIFTLOOP_ROLES: 'api',
    DRIFTLOOP_API_PORT: '0',
    DRIFTLOOP_MANAGEMENT_PORT: '0',
    DRIFTLOOP_REVIEWERS: Object.entries(KEYS)
      .map(([name, key]) => `${name}=${key}`)
      .join(','),
    DRIFTLOOP_REVIEW_DOUBLE_SHARE: '0',
  });
  service = await startService({ ...config, databaseUrl: database.url, kafkaBrokers: [] }, pino({ level: 'silent' }));
});
afterEach(async () => {
  for (const table of ['run_anchors', 'runs', 'seed_pairs', 'anchors', 'verdicts', 'turns', 'audit_log'])
    await dataSource.query(`DELETE FROM ${table}`);
});
afterAll(async () => {
  await service.stop();
  await dataSource.destroy();
  await database.drop();
  await rm(dir, { recursive: true });
});

/** A final verdict of the conversation's third turn; P(dsat) where the label is dsat, else of neutral. */
async function judge(conversationId: string, label: Label, probability: number, abstained = false): Promise<void> {
  const contents = ['Sort a list in Python.', 'Call sort.', `The turn of ${conversationId}`];
  const turns = contents.map((content, turn) => ({
    role: turn % 2 === 0 ? ('user' as const) : ('assistant' as const),
    content,
  }));
  await insertTurns(dataSource, conversationId, turns);
  const rest = (1 - probability) / 2;
  const probabilities = { dsat: rest, sat: rest, neutral: rest, [label]: probability };
  const verdict = { label, probabilities, rubric: label === 'dsat' ? ('style' as const) : null, abstained };
  const judged: JudgedTurn = {
    ...{ conversationId, turn: 2, promptTurn: 0 },
    verdict: { ...verdict, classifierVersion: 'c1', status: 'final' },
  };
  await dataSource.transaction(async (manager) => {
    await insertVerdicts(manager, [judged]);
    await recordFinal(manager, [judged]);
  });
}

async function call(reviewer: Reviewer | null, path = '', body?: object) {
  const response = await fetch(`http://127.0.0.1:${service.apiPort}/v1/reviews${path}`, {
    method: body ? 'POST' : 'GET',
    headers: {
      ...(reviewer && { authorization: `Bearer ${KEYS[reviewer]}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    body: body && JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of several kinds, asserted on by the tests
  return { status: response.status, body: (await response.json()) as any };
}

interface Task {
  conversationId: string;
  turn: number;
  lease: string;
  messages: { role: string; content: string }[];
}
const take = async (reviewer: Reviewer, query = ''): Promise<Task[]> => (await call(reviewer, query)).body.items;
const say = (reviewer: Reviewer, { conversationId, turn, lease }: Task, label: Label, given: object = {}) =>
  call(reviewer, '', {
    conversationId,
    turn,
    lease,
    label,
    rubric: label === 'dsat' ? 'detail' : null,
    confidence: 'high',
    ...given,
  });
const expire = () => dataSource.query(`UPDATE review_leases SET expires_at = now() - interval '1 second'`);
const verdictOf = async (conversationId: string) =>
  (
    await dataSource.query(
      'SELECT label, rubric, abstained, reviewed, p_dsat, classified FROM verdicts WHERE conversation_id = $1',
      [conversationId],
    )
  )[0];
const anchors = () =>
  dataSource.query('SELECT conversation_id AS "conversation", state, rubric FROM anchors ORDER BY conversation_id');

describe('the queue', () => {
  it('gives the most uncertain turn first, without what the classifier says of it', async () => {
    await judge('sure', 'neutral', 0.9);
    await judge('unsure', 'dsat', 0.4, true);
    const [task] = await take('ann');
    expect(task).toMatchObject({ conversationId: 'unsure', turn: 2 });
    expect(task!.messages.map(({ content }) => content)).toEqual([
      'Sort a list in Python.',
      'Call sort.',
      'The turn of unsure',
    ]);
    expect(JSON.stringify(task)).not.toMatch(/dsat|classifier/);
  });

  it('gives reviewers who ask at once different turns, and a turn to nobody twice', async () => {
    for (let i = 0; i < 6; i++) await judge(`c${i}`, 'neutral', 0.5 + i / 20);
    const given = await Promise.all([
      take('ann', '?limit=2'),
      take('bob', '?limit=2'),
      take('bob', '?limit=2'),
      take('ann', '?limit=2'),
    ]);
    const ids = (tasks: Task[]) => tasks.map(({ conversationId }) => conversationId);
    // The same reviewer is given again what he has.
    expect(ids(given[0])).toEqual(ids(given[3]));
    expect(ids(given[1])).toEqual(ids(given[2]));
    expect(new Set(given.flatMap(ids)).size).toBe(4);
  });

  it('gives a turn to somebody else once the lease has ended, and refuses who comes too late', async () => {
    await judge('c', 'neutral', 0.5);
    const [early] = await take('ann');
    expect(await take('bob')).toEqual([]);
    await expire();
    const [late] = await take('bob');
    expect(late).toMatchObject({ conversationId: 'c' });
    const refused = await say('ann', early!, 'dsat');
    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('GET /v1/reviews') } });
    expect((await say('bob', late!, 'neutral')).status).toBe(200);
    expect(await take('ann')).toEqual([]);
  });

  it('takes a late review where nobody else has taken the turn', async () => {
    await judge('c', 'neutral', 0.5);
    const [task] = await take('ann');
    await expire();
    expect((await say('ann', task!, 'neutral')).status).toBe(200);
  });

  it('lets nobody in without a key of a reviewer, and says what is wrong with a review', async () => {
    expect((await call(null)).status).toBe(401);
    await judge('c', 'neutral', 0.5);
    const [task] = await take('ann');
    const paths = async (label: Label, given: object) =>
      (await say('ann', task!, label, given)).body.errors.map(({ path }: { path: string }) => path);
    expect(await paths('dsat', { rubric: null })).toEqual(['rubric']);
    expect(await paths('sat', { rubric: 'style' })).toEqual(['rubric']);
    expect(await paths('sat', { confidence: 'some' })).toEqual(['confidence']);
  });
});

describe('a review', () => {
  it('makes the anchor of a turn that the classifier did not call dsat, once, however often it is sent', async () => {
    await judge('c', 'dsat', 0.4, true);
    expect(await anchors()).toEqual([]);
    const [task] = await take('ann');
    const answer = await say('ann', task!, 'dsat');
    expect(answer).toMatchObject({
      status: 200,
      body: { verdict: { label: 'dsat', rubric: 'detail' }, anchor: { state: 'active' } },
    });
    expect(await say('ann', task!, 'dsat')).toEqual(answer);
    expect((await say('ann', task!, 'sat')).status).toBe(409);
    expect(await anchors()).toEqual([{ conversation: 'c', state: 'active', rubric: 'detail' }]);
    expect(await verdictOf('c')).toMatchObject({
      reviewed: true,
      abstained: false,
      p_dsat: 0.4,
      classified: { label: 'dsat', rubric: 'style', abstained: true },
    });
    const log = await dataSource.query(`SELECT facts FROM audit_log WHERE action = 'review'`);
    expect(log).toMatchObject([{ facts: { reviewer: 'ann', label: 'dsat', anchor: 'active' } }]);
  });

  it('retires the anchor of a turn that is not dsat, and leaves what a run used', async () => {
    await judge('c', 'dsat', 0.8);
    await insertRun(dataSource, { id: 'run-1' });
    await dataSource.query(
      `INSERT INTO run_anchors (run_id, anchor_id, decision) SELECT 'run-1', id, 'train' FROM anchors`,
    );
    const used = await dataSource.query('SELECT * FROM run_anchors');
    const [task] = await take('ann');
    expect((await say('ann', task!, 'neutral')).body).toMatchObject({ anchor: { state: 'retired' } });
    expect(await anchors()).toEqual([{ conversation: 'c', state: 'retired', rubric: 'style' }]);
    expect(await dataSource.query('SELECT * FROM run_anchors')).toEqual(used);
  });

  it('abstains while two do not agree, and follows the majority of three', async () => {
    await judge('c', 'dsat', 0.8);
    const [task] = await take('ann');
    await say('ann', task!, 'neutral');
    // As where a share of the turns is read twice.
    const lease = '00000000-0000-4000-8000-000000000001';
    await dataSource.query(
      `INSERT INTO review_leases VALUES ('c', 2, 'cid', $1, 'uncertain', now() + interval '1 hour')`,
      [lease],
    );
    const other = { conversationId: 'c', turn: 2, lease, label: 'dsat', rubric: 'style', confidence: 'high' } as const;
    expect(await recordReview(dataSource, 'cid', other)).toMatchObject({
      verdict: { label: 'dsat', abstained: true },
      anchor: { state: 'retired' },
    });
    const [third] = await take('bob');
    expect((await say('bob', third!, 'dsat')).body).toMatchObject({
      verdict: { label: 'dsat', abstained: false },
      anchor: { state: 'active' },
    });
    expect(await take('ann')).toEqual([]);
  });

  it('leaves nothing behind where the process dies before the end of its transaction', async () => {
    await judge('c', 'neutral', 0.5);
    const [task] = await take('ann');
    await dataSource.query(`ALTER TABLE audit_log ADD CONSTRAINT dies CHECK (action <> 'review')`);
    try {
      expect((await say('ann', task!, 'dsat')).status).toBe(500);
    } finally {
      await dataSource.query('ALTER TABLE audit_log DROP CONSTRAINT dies');
    }
    expect(await verdictOf('c')).toMatchObject({ label: 'neutral', reviewed: false });
    expect(await anchors()).toEqual([]);
    expect((await say('ann', task!, 'dsat')).body).toMatchObject({ anchor: { state: 'active' } });
  });
});

it('tells how reviewers agree with the classifier, and exports labels that the evaluation reads', async () => {
  await judge('a', 'dsat', 0.4, true);
  await judge('b', 'neutral', 0.5);
  const tasks = await take('ann', '?limit=2');
  for (const task of tasks) await say('ann', task, 'neutral');
  const { body } = await call('ann', '/agreement');
  expect(body).toMatchObject({
    ...{ reviews: 2, turns: 2, shared: 0, reviewers: [] },
    classifier: [{ classifierVersion: 'c1', stratum: 'uncertain', turns: 2, agreement: 0.5, kappa: 0 }],
  });
  const file = join(dir, 'labels.jsonl');
  await writeLines(labelLines(dataSource), file);
  expect(readLabelRecords(file)).toMatchObject([
    {
      conversation: 'a',
      turn: 2,
      label: 'neutral',
      rubric: null,
      confidence: 'high',
      stratum: 'uncertain',
      exchange: { userTurn: 'The turn of a' },
    },
    { conversation: 'b' },
  ]);
});
