import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { loadConfig } from '../src/config/config.js';
import { migrate } from '../src/database/migrate.js';
import { removeState } from '../src/stack/postgres-account.js';
import { startStack } from '../src/stack/stack.js';
import { readState } from '../src/stack/stack-state.js';
import { databaseAt, TEMPLATE } from './stack.js';

/** Started for the first project with such tests, and joined by the second. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  process.env.DRIFTLOOP_TEST_STATE ??= newStateDir();
  const stateDir = process.env.DRIFTLOOP_TEST_STATE;
  const config = loadConfig({ DRIFTLOOP_STATE_DIR: stateDir, DRIFTLOOP_CACHE: process.env.DRIFTLOOP_CACHE });
  const { databaseUrl, kafkaBrokers, stop } = await startStack(config, ['postgres', 'kafka'], { throwaway: true });
  await prepareTemplate(databaseUrl);
  project.provide('stack', { databaseUrl, kafkaBrokers });
  return async () => {
    await stop();
    if (readState(stateDir).users.length === 0) removeState(stateDir);
  };
}

function newStateDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'driftloop-test-'));
  chmodSync(dir, 0o755); // PostgreSQL may run as another user
  return dir;
}

async function prepareTemplate(databaseUrl: string): Promise<void> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [TEMPLATE]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${TEMPLATE}`);
  await client.end();
  await migrate(databaseAt(databaseUrl, TEMPLATE));
}
