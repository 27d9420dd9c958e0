import type { Command } from 'commander';
import type { EraseOptions } from './erase.action.js';

export function register(program: Command): void {
  program
    .command('erase')
    .description('erase a conversation, or all conversations of a user, for good')
    .option('--user <id>', 'as it was sent with the turns, or as it is stored (u_…)')
    .option('--conversation <id>', 'as it was sent, or as it is stored')
    .option('--no-vacuum', 'do not write the tables anew: deleted text then stays in the files until that is done')
    .option('--json', 'one JSON object')
    .action(async (options: EraseOptions) => (await import('./erase.action.js')).erase(options));
}
