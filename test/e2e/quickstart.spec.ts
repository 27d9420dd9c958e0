import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { writeTinyModel } from '../factories/tiny-model.js';
import { createTestDatabase, createTestTopics, testEnv } from '../stack.js';
import { runCli } from './run-cli.js';

const dir = mkdtempSync(join(tmpdir(), 'driftloop-quickstart-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const TABLES = ['turns', 'verdicts', 'anchors', 'seed_pairs', 'dead_letters'];

it('runs the loop on real conversations; again it doubles nothing, goes on from its version and adds one', async () => {
  writeTinyModel(join(dir, 'tiny'));
  const database = await createTestDatabase();
  const env = { ...testEnv(database, await createTestTopics(), dir), DRIFTLOOP_MODEL: join(dir, 'tiny') };
  const dataSource = await createDataSource(database.url, 1).initialize();
  try {
    const counts = async () =>
      Promise.all(TABLES.map((table) => dataSource.query(`SELECT count(*)::int AS rows FROM ${table}`)));
    const few = await runCli(['quickstart', '--conversations', '1'], env);
    expect([few.code, few.stderr]).toEqual([1, expect.stringMatching(/Nothing was trained\. .*--conversations\.\n$/s)]);
    const first = await runCli(['quickstart', '--conversations', '80'], env);
    expect([first.code, first.stderr, first.stdout]).toEqual([
      0,
      expect.anything(),
      expect.stringContaining('published v1 (from the base model)'),
    ]);
    const before = await counts();
    const second = await runCli(['quickstart', '--conversations', '80'], env);
    expect([second.code, second.stdout]).toEqual([0, expect.stringContaining('published v2 (from v1)')]);
    expect(second.stdout).toContain('0 of 80 conversations are new');
    expect(await counts()).toEqual(before);
  } finally {
    await dataSource.destroy();
    await database.drop();
  }
});
