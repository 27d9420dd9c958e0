import { type Command, InvalidArgumentError } from 'commander';
import type { ReclassifyOptions } from './reclassify.action.js';

export function register(program: Command): void {
  program
    .command('reclassify')
    .description('give verdicts of other versions of the classifier anew, except where a training run used them')
    .option('--version <version>', 'of the classifier: `current` is the one that is here, and the only one', 'current')
    .option('--since <time>', 'only turns that were said from then on: a date, or RFC 3339', time)
    .option('--dry-run', 'count what would change, and change nothing')
    .option('--json', 'end with the counts as one JSON object')
    .action(async (options: ReclassifyOptions) => (await import('./reclassify.action.js')).reclassifyHistory(options));
}

function time(text: string): Date {
  const date = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(date.getTime())) {
    throw new InvalidArgumentError('Expected a date such as 2026-03-09, or 2026-03-09T14:05:00Z.');
  }
  return date;
}
