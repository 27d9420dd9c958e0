import type { Command } from 'commander';
import { atLeastOne } from './at-least-one.js';
import type { LearnRubricOptions, ListOptions } from './rubric.action.js';

export function register(program: Command): void {
  const rubric = program
    .command('rubric')
    .description('what the language model that judges uncertain turns goes by (DRIFTLOOP_JUDGE_URL)');
  rubric
    .command('learn')
    .description('learn a rubric from labelled turns, measure it on others, store it')
    .requiredOption('--labels <file>', 'JSONL: conversation, turn, label, messages')
    .option('--items <count>', 'most items of each kind', atLeastOne, 10)
    .option('--examples <count>', 'most examples to learn from, of dsat and of sat each', atLeastOne, 40)
    .option('--measure <count>', 'most turns to measure on', atLeastOne, 300)
    .option('--json', 'end with the rubric as one JSON object')
    .action(async (options: LearnRubricOptions) => (await import('./rubric.action.js')).learn(options));
  rubric
    .command('list')
    .description('rubrics that were learnt, the latest first: a starting service takes that one')
    .option('--json', 'one JSON object a line')
    .action(async (options: ListOptions) => (await import('./rubric.action.js')).list(options));
  rubric
    .command('show')
    .description('one rubric: its items, where it came from, how right the model was by it')
    .argument('<version>', 'or `default`, the built-in one')
    .option('--json', 'one JSON object')
    .action(async (version: string, options: ListOptions) =>
      (await import('./rubric.action.js')).show(version, options),
    );
}
