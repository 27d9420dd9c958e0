import { type Command, Option } from 'commander';
import { ANCHOR_STATES } from '../anchor/anchor.js';
import { RUBRICS } from '../dsat/verdict.js';
import type { ExportOptions, ListOptions, ShowOptions } from './anchors.action.js';
import { atLeastOne } from './at-least-one.js';

export function register(program: Command): void {
  const anchors = program.command('anchors').description('look at the dissatisfaction that was found');
  select(anchors.command('list').description('anchors, newest first'), 20)
    .option('--json', 'one JSON object a line')
    .action(async (options: ListOptions) => (await import('./anchors.action.js')).list(options));
  anchors
    .command('show')
    .description('one anchor: the conversation, the reply that displeased, what the user said')
    .argument('<id>')
    .option('--json', 'one JSON object')
    .action(async (id: string, options: ShowOptions) => (await import('./anchors.action.js')).show(id, options));
  select(anchors.command('export').description('anchors as TRL preference JSONL: prompt, rejected, feedback'))
    .option('--out <file>', 'write to this file, which appears when it is whole; stdout without it')
    .action(async (options: ExportOptions) => (await import('./anchors.action.js')).exportAnchors(options));
}

function select(command: Command, limit?: number): Command {
  return command
    .addOption(new Option('--state <state>', 'only these').choices(ANCHOR_STATES))
    .addOption(new Option('--rubric <rubric>', 'only these').choices(RUBRICS))
    .option('--limit <count>', 'at most so many', atLeastOne, limit);
}
