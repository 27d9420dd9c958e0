import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { textArray } from '../../src/database/text-array.js';
import { createTestDatabase } from '../stack.js';

const database = await createTestDatabase();
const dataSource = createDataSource(database.url, 1);
beforeAll(() => dataSource.initialize());
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

it.each([
  { texts: [] },
  { texts: [null, null] },
  { texts: ['', 'NULL', null, 'null', '{}', '"quoted" \\ and, {braced}', 'two\nlines\t'] },
  { texts: ['ä ß 漢字 🙂', 'a'.repeat(100_000), '🙂'.repeat(1_000)] },
])('hands texts to PostgreSQL as they are (%#)', async ({ texts }) => {
  const [row] = await dataSource.query('SELECT $1::text[] AS texts', [textArray(texts)]);
  expect(row.texts).toEqual(texts);
});

it('is refused, as any parameter is, where a text holds a NUL', async () => {
  await expect(dataSource.query('SELECT $1::text[]', [textArray(['a\0b'])])).rejects.toMatchObject({
    driverError: { code: '22021' },
  });
});
