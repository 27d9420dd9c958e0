import type { DataSource } from 'typeorm';
import type { Config } from '../config/config.js';
import { DriftError } from '../drift-error.js';
import { withDatabase } from './with-database.js';

/** Held while migrations run, so that two starting processes cannot apply the same one twice. */
const MIGRATION_LOCK = 7_431_001;

/**
 * Applies the migrations that are missing, and returns their names.
 * @throws DriftError `database-unavailable`
 */
export function migrate(databaseUrl: string): Promise<string[]> {
  return withDatabase(databaseUrl, runLocked);
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

/**
 * Brings the embedded database's schema up to date; of a configured one it only requires that it is.
 * @throws DriftError `config-invalid` where a migration has not been applied, `database-unavailable`
 */
export async function prepareSchema(config: Pick<Config, 'databaseUrl'>, databaseUrl: string): Promise<void> {
  if (config.databaseUrl === undefined) await migrate(databaseUrl);
  else await requireMigrated(databaseUrl);
}

async function requireMigrated(databaseUrl: string): Promise<void> {
  const missing = await withDatabase(databaseUrl, missingMigrations);
  if (missing.length === 0) return;
  const message = `The database schema lacks ${missing.join(', ')}: run \`driftloop migrate\` first.`;
  throw new DriftError('config-invalid', message, { facts: { missing } });
}

async function missingMigrations(dataSource: DataSource): Promise<string[]> {
  const [{ found }] = await dataSource.query<[{ found: boolean }]>(
    `SELECT to_regclass('migrations') IS NOT NULL AS found`,
  );
  const rows = found ? await dataSource.query<{ name: string }[]>('SELECT name FROM migrations') : [];
  const applied = new Set(rows.map(({ name }) => name));
  return dataSource.migrations
    .map((migration) => migration.name ?? migration.constructor.name)
    .filter((name) => !applied.has(name));
}
