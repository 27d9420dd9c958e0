import type { Command } from 'commander';
import type { AgreementOptions } from './reviews.action.js';

export function register(program: Command): void {
  const reviews = program.command('reviews').description('what people said of verdicts, over the queue of the API');
  reviews
    .command('export')
    .description('reviewed turns as labels, which `evaluate dsat --labels` and `train:dsat -- --reviews` read')
    .argument('<file>', 'appears when it is whole')
    .action(async (file: string) => (await import('./reviews.action.js')).exportReviews(file));
  reviews
    .command('agreement')
    .description('how reviewers agree with each other, and with the classifier')
    .option('--json', 'one JSON object')
    .action(async (options: AgreementOptions) => (await import('./reviews.action.js')).agreement(options));
}
