import { type Command, Option } from 'commander';
import { LETTER_STATES } from '../chat-log/dead-letter-read.js';
import { REJECTION_REASONS } from '../chat-log/rejection.js';
import { atLeastOne } from './at-least-one.js';
import type { DropOptions, EmptyOptions, ListOptions, ReplayOptions, ShowOptions } from './dlq.action.js';

export function register(program: Command): void {
  const dlq = program.command('dlq').description('dead letters: records, or turns of them, that were not taken');
  dlq
    .command('list')
    .description('dead letters, the latest first')
    .addOption(reason())
    .addOption(state())
    .option('--limit <count>', 'at most so many', atLeastOne, 20)
    .option('--json', 'one JSON object a line')
    .action(async (options: ListOptions) => (await import('./dlq.action.js')).list(options));
  dlq
    .command('show')
    .description('the dead letters of one record: why, and what was sent')
    .argument('<record>', RECORD)
    .option('--json', 'one JSON object a line')
    .action(async (record: string, options: ShowOptions) => (await import('./dlq.action.js')).show(record, options));
  dlq
    .command('replay')
    .description('produce the records of waiting dead letters again, with the key, headers and time they had')
    .argument('[record...]', RECORD)
    .addOption(reason())
    .option('--all', 'all that wait')
    .option('--json', 'end with the outcome as one JSON object')
    .action(async (records: string[], options: ReplayOptions) =>
      (await import('./dlq.action.js')).replay(records, options),
    );
  dlq
    .command('drop')
    .description('delete dead letters for good')
    .argument('[record...]', RECORD)
    .addOption(reason())
    .addOption(state())
    .option('--all', 'all of them')
    .option('--yes', 'do it: without, it only says what would be deleted')
    .option('--json', 'end with the outcome as one JSON object')
    .action(async (records: string[], options: DropOptions) =>
      (await import('./dlq.action.js')).drop(records, options),
    );
  dlq
    .command('empty-topic')
    .description('take away what the topic of dead letters holds; the letters stay in the database')
    .option('--yes', 'do it: without, it changes nothing')
    .option('--json', 'end with the outcome as one JSON object')
    .action(async (options: EmptyOptions) => (await import('./dlq.action.js')).emptyTopic(options));
}

const RECORD = 'TOPIC/PARTITION/OFFSET, as `dlq list` shows it';
const reason = () => new Option('--reason <reason>', 'only these').choices(REJECTION_REASONS);
const state = () => new Option('--state <state>', 'only these').choices(LETTER_STATES);
