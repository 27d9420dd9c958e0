import type { DataSource } from 'typeorm';
import type { Config } from '../config/config.js';

/** Runs a command on the database, the configured or the embedded one, with its schema in place. */
export async function withData<T>(use: (dataSource: DataSource, config: Config) => Promise<T>): Promise<T> {
  const { loadConfig } = await import('../config/config.js');
  const { withStack } = await import('../stack/stack.js');
  const { prepareSchema } = await import('../database/migrate.js');
  const { withDatabase } = await import('../database/with-database.js');
  const config = loadConfig();
  return withStack(config, ['postgres'], async ({ databaseUrl }) => {
    await prepareSchema(config, databaseUrl);
    return withDatabase(databaseUrl, (dataSource) => use(dataSource, config));
  });
}
