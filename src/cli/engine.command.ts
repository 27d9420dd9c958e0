import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('engine')
    .description('what training and sampling run on, with a speed check of three seconds')
    .option('--json', 'one JSON object')
    .action(async (options: { json?: boolean }) => (await import('./engine.action.js')).engine(options));
}
