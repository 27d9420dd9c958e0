import type { DataSource } from 'typeorm';
import { createDataSource } from './data-source.js';
import { databaseUnavailable } from './database-error.js';

/**
 * Runs `use` with a connection pool of its own, and closes it.
 * @throws DriftError `database-unavailable`
 */
export async function withDatabase<T>(databaseUrl: string, use: (dataSource: DataSource) => Promise<T>): Promise<T> {
  const dataSource = createDataSource(databaseUrl, 2);
  await dataSource.initialize().catch((cause: Error) => {
    throw databaseUnavailable(databaseUrl, cause);
  });
  try {
    return await use(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
