import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { createTestDatabase } from '../stack.js';

const database = await createTestDatabase();
const dataSource = createDataSource(database.url, 2);
beforeAll(() => dataSource.initialize());
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

it('maps exactly the columns that the migrations made, with their types', async () => {
  expect(dataSource.entityMetadatas).not.toHaveLength(0);
  for (const { tableName, columns } of dataSource.entityMetadatas) {
    const made = await dataSource.query<object[]>(
      `SELECT column_name AS name, data_type AS type, is_nullable = 'YES' AS nullable FROM information_schema.columns
       WHERE table_name = $1 AND table_schema = current_schema ORDER BY column_name`,
      [tableName],
    );
    const mapped = columns.map((column) => ({
      name: column.databaseName,
      type: dataSource.driver.normalizeType(column),
      nullable: column.isNullable,
    }));
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    expect({ tableName, columns: mapped.toSorted(byName) }).toEqual({ tableName, columns: made });
  }
});
