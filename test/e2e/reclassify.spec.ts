import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { expect, it, onTestFinished } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { createTestDatabase, testEnv } from '../stack.js';
import { tableRows } from '../stream-tables.js';
import { runCli } from './run-cli.js';
import { MAIN, waitFor } from './serve-process.js';

const CONVERSATIONS = 400;
/** Each with two verdicts of a version that called every turn neutral. */
const VERDICTS = 2 * CONVERSATIONS;

it('goes on after kill -9 where it was, and ends with the same as undisturbed', async () => {
  const undisturbed = await place();
  const once = await runCli(['reclassify', '--json'], undisturbed.env);
  expect(once.code).toBe(0);
  const counts = JSON.parse(once.stdout.trim().split('\n').at(-1)!);
  expect(counts).toMatchObject({ verdicts: VERDICTS, withheld: 0, dryRun: false });
  expect(counts.anchors.made).toBeGreaterThan(0);
  expect(counts.seedPairs.made).toBeGreaterThan(0);

  const disturbed = await place();
  await killedAfterFirstBatch(disturbed);
  const kept = await audited(disturbed.dataSource);
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThan(VERDICTS);
  const rest = await Promise.all([runCli(['reclassify'], disturbed.env), runCli(['reclassify'], disturbed.env)]);
  expect(rest.map(({ code }) => code)).toContain(0);
  expect(await audited(disturbed.dataSource)).toBe(VERDICTS);
  expect(await tables(disturbed.dataSource)).toEqual(await tables(undisturbed.dataSource));
  expect((await runCli(['reclassify'], disturbed.env)).code).toBe(3);
});

interface Place {
  env: Record<string, string>;
  dataSource: DataSource;
}

async function place(): Promise<Place> {
  const database = await createTestDatabase();
  const dataSource = await createDataSource(database.url, 2).initialize();
  const dir = mkdtempSync(join(tmpdir(), 'driftloop-reclassify-'));
  onTestFinished(async () => {
    await dataSource.destroy();
    await database.drop();
    rmSync(dir, { recursive: true });
  });
  await dataSource.query(`INSERT INTO classifier_versions (version, card) VALUES ('before', '{}')`);
  await dataSource.query(TURNS, [CONVERSATIONS]);
  await dataSource.query(VERDICTS_BEFORE);
  const topics = { turns: 'none', deadLetters: 'none.dlq', policyVersions: 'none.versions' };
  return { env: testEnv(database, topics, dir), dataSource };
}

/** The same request again: dsat after the first reply, sat after the second. */
const TURNS = `INSERT INTO turns (conversation_id, turn, role, content, occurred_at, sha256)
  SELECT 'c' || id, turn, CASE WHEN turn % 2 = 0 THEN 'user' ELSE 'assistant' END, (ARRAY[
    'How do I sort a list in Python?', 'Call sort on the list in Python.',
    'It does not work, I still get the same error. How do I sort a list in Python?',
    'Call sorted on the list in Python.', 'Perfect, that worked, thank you so much!'])[turn + 1], '2026-01-02', ''
  FROM generate_series(1, $1::integer) AS id, generate_series(0, 4) AS turn`;

const VERDICTS_BEFORE = `INSERT INTO verdicts (conversation_id, turn, label, p_dsat, p_sat, p_neutral, classifier_version, status)
  SELECT conversation_id, turn, 'neutral', 0, 0, 1, 'before', 'final' FROM turns WHERE turn IN (2, 4)`;

async function killedAfterFirstBatch({ env, dataSource }: Place): Promise<void> {
  const child = spawn(process.execPath, [MAIN, 'reclassify'], { env: { ...process.env, ...env }, stdio: 'ignore' });
  const exited = once(child, 'exit');
  await waitFor(async () => ((await audited(dataSource)) > 0 ? true : undefined), 5);
  child.kill('SIGKILL');
  expect(await exited).toEqual([null, 'SIGKILL']);
}

async function audited(dataSource: DataSource): Promise<number> {
  const [row] = await dataSource.query(
    `SELECT coalesce(sum((facts->>'verdicts')::integer), 0)::integer AS sum FROM audit_log WHERE action = 'reclassify'`,
  );
  return row.sum;
}

async function tables(dataSource: DataSource) {
  const history = await dataSource.query(
    'SELECT conversation_id, turn, classifier_version, standing FROM verdict_history ORDER BY 1, 2, 3',
  );
  const [verdicts, anchors, pairs] = await Promise.all(
    (['verdicts', 'anchors', 'seed_pairs'] as const).map((table) => tableRows(dataSource, table)),
  );
  return { history, verdicts, anchors, pairs };
}
