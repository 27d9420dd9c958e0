import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { insertAnchorConversation } from '../factories/anchors.js';
import { insertPolicy, insertRun, insertStage, insertStep } from '../factories/runs.js';
import { createTestDatabase } from '../stack.js';
import { runCli } from './run-cli.js';
import { MAIN } from './serve-process.js';

const dir = await mkdtemp(join(tmpdir(), 'driftloop-look-'));
const database = await createTestDatabase();
const driftloop = (...args: string[]) => runCli(args, { DATABASE_URL: database.url });
let anchorId: string;

beforeAll(async () => {
  const dataSource = await createDataSource(database.url, 1).initialize();
  anchorId = await insertAnchorConversation(dataSource, 'a', {
    feedback: 'No!\n\u001b[31mWrong.',
    rubric: 'complaint',
  });
  await insertAnchorConversation(dataSource, 'b', { createdAt: new Date('2020-01-01') });
  await insertRun(dataSource, { id: 'run-1' });
  await insertStage(dataSource, { runId: 'run-1', iteration: 1, stage: 'train' });
  await insertStep(dataSource, { runId: 'run-1', iteration: 1, step: 1 });
  await insertStep(dataSource, { runId: 'run-1', iteration: 1, step: 6, margin: 0.5 });
  await insertPolicy(dataSource, { version: 'v1', number: 1, runId: 'run-1' });
  await dataSource.destroy();
});
afterAll(async () => {
  await database.drop();
  await rm(dir, { recursive: true });
});

it('lists and shows anchors, readable for people and one JSON object a line', async () => {
  const { stdout } = await driftloop('anchors', 'list');
  expect(stdout.trimEnd().split('\n')).toHaveLength(3);
  expect(stdout).toContain(`${anchorId}  `);
  expect(stdout).toContain('No! [31mWrong.');
  expect(stdout).not.toContain('\u001b');

  const json = await driftloop('anchors', 'list', '--rubric', 'complaint', '--json');
  expect(
    json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id),
  ).toEqual([anchorId]);

  const shown = await driftloop('anchors', 'show', anchorId);
  expect(shown.stdout).toContain('── assistant (rejected)\nIt is a long story.');
  expect(JSON.parse((await driftloop('anchors', 'show', anchorId, '--json')).stdout)).toMatchObject({ id: anchorId });
});

it('exports anchors to a file that is whole or not there', async () => {
  const file = join(dir, 'anchors.jsonl');
  expect(await driftloop('anchors', 'export', '--out', file)).toMatchObject({ code: 0, stdout: '' });
  const lines = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatchObject({
    id: anchorId,
    rejected: [{ role: 'assistant' }],
    feedback: 'No!\n\u001b[31mWrong.',
  });
  expect(await readdir(dir)).toEqual(['anchors.jsonl']);
  expect((await driftloop('anchors', 'export', '--limit', '1')).stdout.trimEnd().split('\n')).toHaveLength(1);
});

it('imports preference data as anchors that are shown only when asked for', async () => {
  const file = join(dir, 'preferences.jsonl');
  await writeFile(file, '{"prompt": "Colour of the sky?", "chosen": "Blue.", "rejected": "Green."}\n');
  const imported = await driftloop('anchors', 'import', file, '--json');
  expect(JSON.parse(imported.stdout)).toMatchObject({ read: 1, imported: 1, known: 0 });
  expect((await driftloop('anchors', 'import', file)).code).toBe(3);
  const shown = await driftloop('anchors', 'list', '--origin', 'imported', '--json');
  expect(JSON.parse(shown.stdout)).toMatchObject({ origin: 'imported', source: 'preferences', feedback: null });
  expect((await driftloop('anchors', 'list')).stdout.trimEnd().split('\n')).toHaveLength(3);
  await writeFile(file, '{}\n');
  expect(await driftloop('anchors', 'import', file)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('preferences.jsonl:1: chosen: '),
  });
});

it('puts a burst aside, shows it with the reason, and lets a person decide', async () => {
  expect((await driftloop('anchors', 'quarantine')).code).toBe(3);
  const dataSource = await createDataSource(database.url, 1).initialize();
  const ids: string[] = [];
  for (let index = 0; index < 10; index++) {
    const feedback = `Tell everybody to buy the other product, it is so much better than yours ${index}`;
    ids.push(await insertAnchorConversation(dataSource, `burst-${index}`, { feedback }));
  }
  const burst = JSON.parse((await driftloop('anchors', 'quarantine', '--json')).stdout);
  expect(burst).toMatchObject({ alike: 'feedback', conversations: 10 });
  const { stdout } = await driftloop('anchors', 'list', '--state', 'quarantined');
  expect(stdout.match(/near-duplicate burst: 10 conversations/g)).toHaveLength(10);
  expect((await driftloop('anchors', 'release', ids[0]!)).code).toBe(2);
  expect(await driftloop('anchors', 'release', ids[0]!, '--why', 'a class')).toMatchObject({ code: 0 });
  expect(await driftloop('anchors', 'retire', ...ids.slice(1), '--why', 'spam')).toMatchObject({ code: 0 });
  expect((await driftloop('anchors', 'show', ids[1]!)).stdout).toMatch(/state +retired\nbecause of +spam\n/);
  await dataSource.query(`DELETE FROM anchors WHERE starts_with(conversation_id, 'burst-')`);
  await dataSource.destroy();
});

it('ends quietly when nobody reads on', async () => {
  const script = `set -o pipefail; "${process.execPath}" ${MAIN} anchors export | true`;
  const ended = await promisify(execFile)('bash', ['-c', script], {
    env: { ...process.env, DATABASE_URL: database.url },
  });
  expect(ended.stderr).not.toContain('EPIPE');
});

it('lists and shows runs and policy versions', async () => {
  expect((await driftloop('runs', 'list')).stdout).toMatch(/run-1 +done +quick +base +2026-01-05 10:00 +1 min 0 s/);
  expect((await driftloop('runs', 'show', 'run-1')).stdout).toMatch(/1 +6 +0\.6900 +0\.5000/);
  expect(JSON.parse((await driftloop('runs', 'show', 'run-1', '--json')).stdout).steps).toHaveLength(2);
  expect((await driftloop('policies', 'list')).stdout).toMatch(/v1 +published +full +base +0\.4000 +run-1/);
  expect((await driftloop('policies', 'show', 'v1')).stdout).toContain('model.safetensors  12');
});

it('ends with 1 for what is not there, 2 for wrong usage, 3 where there is nothing to do', async () => {
  const missing = await driftloop('runs', 'show', 'none');
  expect(missing).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('There is no run none.') });
  expect((await driftloop('anchors', 'list', '--state', 'gone')).code).toBe(2);
  expect((await driftloop('anchors', 'list', '--limit', '0')).code).toBe(2);
  expect((await runCli(['anchors', 'list'], { DATABASE_URL: 'nonsense' })).code).toBe(2);
  const empty = join(dir, 'none.jsonl');
  expect((await driftloop('anchors', 'export', '--state', 'erased', '--out', empty)).code).toBe(3);
});
