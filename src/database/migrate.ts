import type { DataSource } from 'typeorm';
import { DriftError } from '../drift-error.js';
import { createDataSource } from './data-source.js';

/** Held while migrations run, so that two starting processes cannot apply the same one twice. */
const MIGRATION_LOCK = 7_431_001;

/**
 * Applies the migrations that are missing, and returns their names.
 * @throws DriftError `database-unavailable`
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const dataSource = createDataSource(databaseUrl, 2);
  try {
    await dataSource.initialize();
  } catch (cause) {
    const { host, pathname } = new URL(databaseUrl);
    const message = `PostgreSQL at ${host}${pathname} does not answer: ${(cause as Error).message}. Check DATABASE_URL.`;
    throw new DriftError('database-unavailable', message, { cause, retriable: true });
  }
  try {
    return await runLocked(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

async function runLocked(dataSource: DataSource): Promise<string[]> {
  const lock = dataSource.createQueryRunner();
  await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
  try {
    return (await dataSource.runMigrations()).map((migration) => migration.name);
  } finally {
    await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    await lock.release();
  }
}
