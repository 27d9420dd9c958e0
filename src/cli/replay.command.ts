import type { Command } from 'commander';
import { atLeastOne } from './at-least-one.js';
import type { ReplayArguments } from './replay.action.js';

const DEFAULT_CONVERSATIONS = 2_000;

export function register(program: Command): void {
  program
    .command('replay')
    .description('produce chat turns to Kafka: real ShareGPT conversations, or turn events from a file')
    .option('--conversations <n>', 'how many of the fetched ShareGPT conversations', atLeastOne, DEFAULT_CONVERSATIONS)
    .option('--file <file>', 'instead of them, driftloop.turn.v1 events, one JSON object a line, in order')
    .option('--salt <text>', 'make the ShareGPT conversation ids other ones, so that they count as new conversations')
    .option('--rate <turns>', 'at most so many turns a second', atLeastOne)
    .option('--json', 'print the result as one JSON object')
    .action(async (options: ReplayArguments) => (await import('./replay.action.js')).replay(options));
}
