import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { writeTinyModel } from '../factories/tiny-model.js';
import { createTestDatabase, createTestTopics, testEnv } from '../stack.js';
import { runCli } from './run-cli.js';
import { MAIN } from './serve-process.js';

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
    const first = await runCli(['quickstart', '--conversations', '30'], env);
    expect([first.code, first.stderr, first.stdout]).toEqual([
      0,
      expect.anything(),
      expect.stringContaining('published v1 (from the base model)'),
    ]);
    const before = await counts();
    const second = await runCli(['quickstart', '--conversations', '30'], env);
    expect([second.code, second.stdout]).toEqual([0, expect.stringContaining('published v2 (from v1)')]);
    expect(second.stdout).toContain('0 of 30 conversations are new');
    expect(await counts()).toEqual(before);
  } finally {
    await dataSource.destroy();
    await database.drop();
  }
});

it('ends in good order when it is interrupted while it trains', async () => {
  writeTinyModel(join(dir, 'tiny'));
  const database = await createTestDatabase();
  const env = { ...testEnv(database, await createTestTopics(), dir), DRIFTLOOP_MODEL: join(dir, 'tiny') };
  try {
    const child = spawn(process.execPath, [MAIN, 'quickstart', '--conversations', '30'], {
      env: { ...process.env, ...env },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk));
    child.stdout.on('data', () => output.includes('Training:') && child.kill('SIGINT'));
    expect(await once(child, 'exit'), output).toEqual([1, null]);
    expect(output).toMatch(/Interrupted; run it again to go on\.\n$/);
    expect(output).not.toContain('AbortError');
    expect(existsSync(join(dir, 'serve.json')), 'the service has stopped').toBe(false);
  } finally {
    await database.drop();
  }
});
