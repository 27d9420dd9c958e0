import { DataSource } from 'typeorm';
import { Initial1764000000000 } from '../../migrations/1764000000000-initial.js';

/** The TypeORM connection pool of a process. Rows of the stream go through `query`, as sets; see docs/decisions. */
export function createDataSource(databaseUrl: string, poolSize = 10): DataSource {
  return new DataSource({
    type: 'postgres',
    url: databaseUrl,
    poolSize,
    applicationName: 'driftloop',
    migrations: [Initial1764000000000],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
  });
}
