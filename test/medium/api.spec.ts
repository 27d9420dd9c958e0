import { readFile } from 'node:fs/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.js';
import { createDataSource } from '../../src/database/data-source.js';
import { type Service, startService } from '../../src/service.js';
import { insertAnchorConversation } from '../factories/anchors.js';
import { evaluation, insertPolicy, insertRun, insertStage, insertStep } from '../factories/runs.js';
import { createTestDatabase } from '../stack.js';

const database = await createTestDatabase();
const dataSource = createDataSource(database.url, 2);
const config = loadConfig({
  DATABASE_URL: database.url,
  DRIFTLOOP_ROLES: 'api',
  DRIFTLOOP_API_PORT: '0',
  DRIFTLOOP_MANAGEMENT_PORT: '0',
});
const silent = pino({ level: 'silent' });
let service: Service;

beforeAll(async () => {
  await dataSource.initialize();
  service = await startService({ ...config, databaseUrl: database.url, kafkaBrokers: [] }, silent);
});
afterAll(async () => {
  await service.stop();
  await dataSource.destroy();
  await database.drop();
});

async function get(path: string, port = service.apiPort) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const text = await response.text();
  const type = response.headers.get('content-type')?.split(';')[0];
  return { status: response.status, type, text, body: type?.endsWith('json') ? JSON.parse(text) : undefined };
}

describe('anchors', () => {
  it('are listed in pages that a cursor continues', async () => {
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) ids.push(await insertAnchorConversation(dataSource, name));
    const first = await get('/v1/anchors?state=active&limit=2');
    expect(first.status).toBe(200);
    expect(first.body.items).toHaveLength(2);
    const second = await get(`/v1/anchors?state=active&limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body).toMatchObject({ items: [{ feedback: 'That is not an answer.' }], nextCursor: null });
    const seen = [...first.body.items, ...second.body.items].map(({ id }: { id: string }) => id);
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });

  it('are those of users unless others are asked for', async () => {
    const id = await insertAnchorConversation(dataSource, 'imported');
    await dataSource.query(`UPDATE anchors SET origin = 'imported', source = 'x' WHERE id = $1`, [id]);
    const ids = async (path: string) => (await get(path)).body.items.map((anchor: { id: string }) => anchor.id);
    expect(await ids('/v1/anchors')).not.toContain(id);
    expect(await ids('/v1/anchors?origin=imported')).toEqual([id]);
  });

  it('are shown with their conversation', async () => {
    const id = await insertAnchorConversation(dataSource, 'shown');
    const { body } = await get(`/v1/anchors/${id}`);
    expect(body).toMatchObject({ id, prompt: [{ role: 'system' }, { role: 'user' }], rejected: 'It is a long story.' });
    expect(new Date(body.createdAt).toISOString()).toBe(body.createdAt);
  });
});

describe('runs and policies', () => {
  it('are listed and shown', async () => {
    await insertRun(dataSource, { id: 'run-1' });
    await insertStage(dataSource, {
      runId: 'run-1',
      iteration: 1,
      stage: 'evaluate',
      outcome: evaluation(0.3, 0.5),
    });
    await insertStep(dataSource, { runId: 'run-1', iteration: 1, step: 1 });
    await insertPolicy(dataSource, { version: 'v1', number: 1, runId: 'run-1' });
    await insertPolicy(dataSource, { version: 'v2', number: 2, parent: 'v1' });

    expect((await get('/v1/runs')).body).toMatchObject({ items: [{ id: 'run-1', status: 'done' }], nextCursor: null });
    expect((await get('/v1/runs/run-1')).body).toMatchObject({
      stages: [{ stage: 'evaluate', outcome: { heldOut: { marginMean: 0.3 } } }],
      steps: [{ step: 1, margin: 0.07 }],
    });
    const page = await get('/v1/policies?limit=1');
    expect(page.body).toMatchObject({ items: [{ version: 'v2', parent: 'v1' }], nextCursor: '2' });
    expect((await get('/v1/policies?limit=1&cursor=2')).body.items).toMatchObject([{ version: 'v1' }]);
    expect((await get('/v1/policies/v1')).body).toMatchObject({ version: 'v1', files: [{ bytes: 12 }] });
  });

  it('answer null for a figure that was not finite', async () => {
    await insertRun(dataSource, { id: 'run-nan', status: 'failed' });
    await insertStep(dataSource, { runId: 'run-nan', iteration: 1, step: 1, loss: Number.NaN, gradNorm: Infinity });
    expect((await get('/v1/runs/run-nan')).body.steps).toMatchObject([{ loss: null, gradNorm: null, margin: 0.07 }]);
  });
});

describe('problems', () => {
  it('name every field that was not valid', async () => {
    const { status, type, body } = await get('/v1/anchors?state=gone&limit=0');
    expect({ status, type }).toEqual({ status: 400, type: 'application/problem+json' });
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(['state', 'limit']);
    expect((await get('/v1/policies?cursor=9007199254740990')).body.errors).toMatchObject([{ path: 'cursor' }]);
    expect((await get('/v1/anchors/7')).body.errors).toMatchObject([{ path: 'id' }]);
    for (const list of ['anchors', 'runs', 'policies']) expect((await get(`/v1/${list}?stat=x`)).status).toBe(400);
  });

  it('say that a cursor is not one of ours', async () => {
    for (const path of ['anchors?cursor=00000000-0000-8000-8000-000000000000', 'runs?cursor=none']) {
      expect(await get(`/v1/${path}`)).toMatchObject({
        status: 400,
        body: { errors: [{ path: 'cursor', message: expect.stringContaining('without cursor') }] },
      });
    }
  });

  it('say what was not found', async () => {
    for (const path of [
      '/v1/runs/none',
      '/v1/policies/none',
      '/v1/anchors/00000000-0000-8000-8000-000000000000',
      '/v2',
    ]) {
      expect(await get(path)).toMatchObject({
        status: 404,
        type: 'application/problem+json',
        body: { title: 'Not Found' },
      });
    }
  });
});

describe('the service', () => {
  it('answers the OpenAPI document of the docs', async () => {
    const { body } = await get('/openapi.json');
    expect(body).toEqual(JSON.parse(await readFile('docs/openapi.json', 'utf8')));
  });

  it('is alive, ready, and shows its metrics on the management port alone', async () => {
    expect(await get('/healthz', service.managementPort)).toMatchObject({ status: 200, body: { status: 'alive' } });
    expect(await get('/readyz', service.managementPort)).toMatchObject({ status: 200, body: { status: 'ready' } });
    const { text } = await get('/metrics', service.managementPort);
    expect(text).toContain('driftloop_database_up 1');
    expect(text).toContain('process_cpu_seconds_total');
    expect(await get('/metrics')).toMatchObject({ status: 404 });
    expect(await get('/v1/anchors', service.managementPort)).toMatchObject({ status: 404 });
  });

  it('refuses to start on a port that is in use, naming the key', async () => {
    const taken = { ...config, databaseUrl: database.url, kafkaBrokers: [], managementPort: 0 };
    await expect(startService({ ...taken, apiPort: service.apiPort! }, silent)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('DRIFTLOOP_API_PORT'),
    });
    await expect(startService({ ...taken, managementPort: service.managementPort }, silent)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('DRIFTLOOP_MANAGEMENT_PORT'),
    });
  });
});
