import type { Command } from 'commander';
import type { ScoreArguments } from './score.action.js';

export function register(program: Command): void {
  program
    .command('score')
    .description('log-probabilities of completions under a model, one for each token, natural log')
    .option(
      '--model <dir>',
      'Hugging Face directory, or PEFT adapter whose base model is here; the default model without it',
    )
    .requiredOption('--in <file>', 'JSONL: prompt_ids and completion_ids, which win, or messages and completion')
    .requiredOption('--out <file>', 'the same lines with `logprobs`; a completion given as text gets one EOS, ids none')
    .action(async (options: ScoreArguments) => (await import('./score.action.js')).score(options));
}
