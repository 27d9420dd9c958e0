import type { DataSource } from 'typeorm';
import { DriftError } from '../drift-error.js';
import { createDataSource } from './data-source.js';

const hintOf = ({ message }: Error) =>
  /certificate|self.signed|SSL|TLS|altname/i.test(message)
    ? 'Check sslmode in DATABASE_URL and DRIFTLOOP_DATABASE_CA'
    : 'Check DATABASE_URL';

/**
 * Runs `use` with a connection pool of its own, and closes it.
 * @throws DriftError `database-unavailable`
 */
export async function withDatabase<T>(databaseUrl: string, use: (dataSource: DataSource) => Promise<T>): Promise<T> {
  const dataSource = createDataSource(databaseUrl, 2);
  await dataSource.initialize().catch((cause: Error) => {
    const { host, pathname } = new URL(databaseUrl);
    const message = `PostgreSQL at ${host}${pathname} does not answer: ${cause.message}. ${hintOf(cause)}.`;
    throw new DriftError('database-unavailable', message, { cause, retriable: true });
  });
  try {
    return await use(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
