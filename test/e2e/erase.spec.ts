import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { insertAnchorConversation } from '../factories/anchors.js';
import { createTestDatabase, createTestTopics, type TestDatabase, testEnv } from '../stack.js';
import { runCli } from './run-cli.js';

const dir = mkdtempSync(join(tmpdir(), 'driftloop-erase-'));
let database: TestDatabase;
let env: Record<string, string>;
beforeAll(async () => {
  database = await createTestDatabase();
  env = testEnv(database, await createTestTopics(), dir);
  const dataSource = await createDataSource(database.url, 1).initialize();
  await insertAnchorConversation(dataSource, 'gone', { feedback: 'Not what I asked.' });
  await insertAnchorConversation(dataSource, 'kept');
  await dataSource.destroy();
});
afterAll(() => database.drop());

it('erases a conversation, in the database and in what was exported, and says so', async () => {
  const file = join(dir, 'anchors.jsonl');
  expect((await runCli(['anchors', 'export', '--out', file], env)).code).toBe(0);
  const { code, stdout } = await runCli(['erase', '--conversation', 'gone', '--json'], env);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    conversations: 1,
    turns: 4,
    anchors: 1,
    cleaned: [file],
    missing: [],
    undone: [],
  });
  expect(
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).conversationId),
  ).toEqual(['kept']);
  expect((await runCli(['anchors', 'list'], env)).stdout).not.toContain('Not what I asked');
});

it('ends with 3 where there is nothing, and with 2 where it is not told whom, or has another key', async () => {
  expect((await runCli(['erase', '--user', 'nobody', '--no-vacuum'], env)).code).toBe(3);
  expect((await runCli(['erase'], env)).code).toBe(2);
  const other = { ...env, DRIFTLOOP_PRIVACY_KEY: 'another key of 32 characters, or more' };
  const refused = await runCli(['erase', '--user', 'nobody', '--no-vacuum'], other);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('another privacy key') });
});
