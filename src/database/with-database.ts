import type { DataSource } from 'typeorm';
import { DriftError } from '../drift-error.js';
import { createDataSource } from './data-source.js';

/**
 * Runs `use` with a connection pool of its own, and closes it.
 * @throws DriftError `database-unavailable`
 */
export async function withDatabase<T>(databaseUrl: string, use: (dataSource: DataSource) => Promise<T>): Promise<T> {
  const dataSource = createDataSource(databaseUrl, 2);
  await dataSource.initialize().catch((cause: Error) => {
    const { host, pathname } = new URL(databaseUrl);
    const message = `PostgreSQL at ${host}${pathname} does not answer: ${cause.message}. Check DATABASE_URL.`;
    throw new DriftError('database-unavailable', message, { cause, retriable: true });
  });
  try {
    return await use(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
