import { expect, it, onTestFinished } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { compare, type Queried } from '../faults/compare.js';
import { createTestDatabase } from '../stack.js';

async function place(): Promise<Queried> {
  const database = await createTestDatabase();
  const dataSource = await createDataSource(database.url, 1).initialize();
  onTestFinished(async () => {
    await dataSource.destroy();
    await database.drop();
  });
  await dataSource.query(`INSERT INTO turns (conversation_id, turn, role, content, occurred_at, sha256)
    SELECT 'c', turn, 'user', 'text ' || turn, '2026-01-01', '' FROM generate_series(0, 9) AS turn`);
  return dataSource;
}

it('finds nothing in equal tables, receipt times aside', async () => {
  const [expected, actual] = [await place(), await place()];
  const { rows, ...found } = await compare(expected, actual);
  expect(found).toEqual({ lost: 0, doubled: 0, differences: [] });
  expect(rows.turns).toBe(10);
});

it('finds rows that are missing, other ones, and too many, and dead letters by reason and content', async () => {
  const [expected, actual] = [await place(), await place()];
  const letter = (reason: string, offset: number) => `INSERT INTO dead_letters
    (topic, partition, record_offset, reason, detail, sha256, headers, payload, payload_bytes)
    VALUES ('t', 0, ${offset}, '${reason}', '', 'a', '{}', '', 0)`;
  await expected.query(letter('empty', 1));
  await actual.query(letter('empty', 7));
  await actual.query(letter('invalid', 1));
  await actual.query('DELETE FROM turns WHERE turn = 3');
  await actual.query(`UPDATE turns SET content = 'other' WHERE turn = 5`);
  await actual.query('UPDATE turns SET turn = 12 WHERE turn = 9');
  expect(await compare(expected, actual)).toMatchObject({
    lost: 3,
    doubled: 2,
    differences: [
      'turns: c 3 is missing',
      'turns: c 5 is another one',
      'turns: c 9 is missing',
      'turns: c 12 is too many',
      'dead_letters: invalid a is too many',
    ],
  });
});

it('finds a row that is there twice, whatever the table forbids', async () => {
  const [expected, actual] = [await place(), await place()];
  await actual.query('ALTER TABLE turns DROP CONSTRAINT turns_pkey CASCADE');
  await actual.query('INSERT INTO turns SELECT * FROM turns WHERE turn IN (2, 4)');
  expect(await compare(expected, actual)).toMatchObject({
    lost: 0,
    doubled: 2,
    differences: ['turns: c 2 is there 2 times', 'turns: c 4 is there 2 times'],
  });
});
