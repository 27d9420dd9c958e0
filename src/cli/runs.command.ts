import type { Command } from 'commander';
import { atLeastOne } from './at-least-one.js';
import type { ListOptions, ShowOptions } from './runs.action.js';

export function register(program: Command): void {
  const runs = program.command('runs').description('look at training runs');
  runs
    .command('list')
    .description('runs, the latest first')
    .option('--limit <count>', 'at most so many', atLeastOne, 20)
    .option('--json', 'one JSON object a line')
    .action(async (options: ListOptions) => (await import('./runs.action.js')).list(options));
  runs
    .command('show')
    .description('one run: its stages, and its steps iteration by iteration')
    .argument('<id>')
    .option('--json', 'one JSON object, with every step')
    .action(async (id: string, options: ShowOptions) => (await import('./runs.action.js')).show(id, options));
}
