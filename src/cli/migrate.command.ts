import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('migrate')
    .description('bring the database schema up to date')
    .action(async () => {
      const { loadConfig } = await import('../config/config.js');
      const { withStack } = await import('../stack/stack.js');
      const { migrate } = await import('../database/migrate.js');
      await withStack(loadConfig(), ['postgres'], async ({ databaseUrl }) => {
        const applied = await migrate(databaseUrl);
        console.log(applied.length > 0 ? `applied ${applied.join(', ')}` : 'nothing to apply');
      });
    });
}
