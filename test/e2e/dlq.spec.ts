import { afterAll, beforeAll, expect, it } from 'vitest';
import { insertDeadLetters, makeDeadLetter } from '../../src/chat-log/dead-letter.js';
import { protectLetter } from '../../src/chat-log/protect-letter.js';
import { createDataSource } from '../../src/database/data-source.js';
import { testPrivacy } from '../factories/privacy.js';
import { createTestDatabase, createTestTopics, testBrokers } from '../stack.js';
import { runCli } from './run-cli.js';

const database = await createTestDatabase();
const { turns: topic } = await createTestTopics();
const driftloop = (...args: string[]) =>
  runCli(['dlq', ...args], { DATABASE_URL: database.url, KAFKA_BROKERS: testBrokers().join(',') });

beforeAll(async () => {
  const dataSource = await createDataSource(database.url, 1).initialize();
  const letter = (offset: number, value: string) =>
    makeDeadLetter(
      {
        key: Buffer.from('k'),
        value: Buffer.from(value),
        timestamp: '1767323045000',
        attributes: 0,
        offset: String(offset),
        headers: { trace: 't' },
      },
      offset === 2 ? 'invalid' : 'undecodable',
      'the value is not JSON',
    );
  const letters = [letter(0, '{\u001b[31m'), letter(1, 'x'.repeat(70_000)), letter(2, '[]')].map((letter) =>
    protectLetter(letter, testPrivacy()),
  );
  await insertDeadLetters(dataSource.manager, { topic, partition: 3 }, letters);
  await dataSource.destroy();
});
afterAll(() => database.drop());

it('lists and shows dead letters, readable for people and one JSON object a line', async () => {
  const listed = await driftloop('list');
  expect(listed.stdout).toContain(`${topic}/3/0`);
  expect(listed.stderr).toContain('2 undecodable, 1 invalid');
  const json = await driftloop('list', '--reason', 'invalid', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ record: `${topic}/3/2`, reason: 'invalid', whole: true });
  const shown = await driftloop('show', `${topic}/3/0`);
  expect(shown.stdout).toMatch(/headers +trace: t/);
  expect(shown.stdout).not.toContain('\u001b');
  expect(JSON.parse((await driftloop('show', `${topic}/3/0`, '--json')).stdout)).toMatchObject({ key: 'k' });
  expect(await driftloop('show', `${topic}/3/9`)).toMatchObject({ code: 1 });
});

it('replays what is whole, and says why not of the rest', async () => {
  const replayed = await driftloop('replay', '--reason', 'undecodable');
  expect(replayed).toMatchObject({ code: 1, stdout: '1 records replayed\n' });
  expect(replayed.stderr).toContain(`${topic}/3/1 is kept in part only`);
  expect(await driftloop('replay', `${topic}/3/0`, '--json')).toMatchObject({
    code: 3,
    stdout: '{"replayed":[],"notWhole":[]}\n',
  });
});

it('drops nothing without a choice and --yes', async () => {
  expect(await driftloop('drop', '--yes')).toMatchObject({ code: 2, stderr: expect.stringContaining('Say which') });
  expect(await driftloop('drop', '--state', 'replayed')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('1 dead letters would be deleted'),
  });
  expect(await driftloop('drop', '--state', 'replayed', '--yes', '--json')).toMatchObject({
    code: 0,
    stdout: '{"matched":1,"dropped":1}\n',
  });
  expect((await driftloop('list', '--json')).stdout.trimEnd().split('\n')).toHaveLength(2);
});
