import type { DataSource } from 'typeorm';
import type { Config } from '../config/config.js';
import type { Server, Stack } from '../stack/stack.js';

/**
 * Runs a command on the database, the configured or the embedded one, with its schema in place; and with the broker
 * where it is needed, too.
 */
export async function withData<T>(
  use: (dataSource: DataSource, config: Config, stack: Stack) => Promise<T>,
  needs: Server[] = ['postgres'],
): Promise<T> {
  const { loadConfig } = await import('../config/config.js');
  const { withStack } = await import('../stack/stack.js');
  const { prepareSchema } = await import('../database/migrate.js');
  const { withDatabase } = await import('../database/with-database.js');
  const config = loadConfig();
  return withStack(config, needs, async (stack) => {
    await prepareSchema(config, stack.databaseUrl);
    return withDatabase(stack.databaseUrl, (dataSource) => use(dataSource, config, stack));
  });
}
