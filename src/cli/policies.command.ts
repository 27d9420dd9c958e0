import type { Command } from 'commander';
import { atLeastOne } from './at-least-one.js';
import type { ListOptions, ShowOptions } from './policies.action.js';
import { registerCompare } from './policies-compare.command.js';

export function register(program: Command): void {
  const policies = program.command('policies').description('look at policy versions');
  policies
    .command('list')
    .description('policy versions, the latest first')
    .option('--limit <count>', 'at most so many', atLeastOne, 20)
    .option('--json', 'one JSON object a line')
    .action(async (options: ListOptions) => (await import('./policies.action.js')).list(options));
  policies
    .command('show')
    .description('one policy version: where it is, what it came from, its files and metrics')
    .argument('<version>')
    .option('--json', 'one JSON object')
    .action(async (version: string, options: ShowOptions) =>
      (await import('./policies.action.js')).show(version, options),
    );
  registerCompare(policies);
}
