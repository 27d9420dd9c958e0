import type { Command } from 'commander';
import type { EvaluateDsatOptions } from './evaluate-dsat.action.js';

export function register(program: Command): void {
  const evaluate = program.command('evaluate').description('measure how right what was learnt is');
  evaluate
    .command('dsat')
    .description('verdicts of the classifier beside labels: no database is needed')
    .requiredOption('--labels <file>', 'JSONL: conversation, turn, label, rubric, confidence, stratum, messages')
    .option('--stratum <name>', 'only turns of this stratum: `random` has labels as often as they occur')
    .option('--by <field...>', 'also by these fields of the metadata: cohorts')
    .option('--against <other>', 'compare with `first-stage`, a directory of weights, or a predictions.jsonl of --out')
    .option('--predictions <file>', 'evaluate these instead of what the shipped classifier says: a predictions.jsonl')
    .option('--out <dir>', 'report.json, curves.json, predictions.jsonl, and charts as SVG; appears when it is whole')
    .option('--json', 'end with the figures as one JSON object')
    .action(async (options: EvaluateDsatOptions) => (await import('./evaluate-dsat.action.js')).evaluateDsat(options));
}
