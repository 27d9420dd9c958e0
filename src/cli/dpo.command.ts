import { type Command, InvalidArgumentError, Option } from 'commander';
import { LORA_TARGETS } from '../training/engine/training-engine.js';
import { atLeastOne } from './at-least-one.js';
import type { DpoArguments } from './dpo.action.js';
import { loraTargets } from './lora-targets.js';

export function register(program: Command): void {
  program
    .command('dpo')
    .description('train a model on preference pairs by DPO; the reference is the model as it starts')
    .option('--model <dir>', 'Hugging Face directory; the default model without it')
    .requiredOption(
      '--pairs <file>',
      'TRL preference JSONL (prompt, chosen, rejected), or prompt_ids, chosen_ids, rejected_ids',
    )
    .requiredOption('--out <dir>', 'the trained model, or its PEFT adapter; must not exist')
    .option('--lr <rate>', 'peak learning rate', positive, 5e-7)
    .option('--beta <beta>', 'strength of the tie to the reference', positive, 0.1)
    .option('--batch-size <n>', 'pairs a step', atLeastOne, 4)
    .option('--epochs <n>', 'passes over the pairs', atLeastOne, 1)
    .option('--max-steps <n>', 'end after so many steps', atLeastOne)
    .addOption(
      new Option('--schedule <name>', 'of the learning rate').choices(['constant', 'linear']).default('constant'),
    )
    .option('--warmup-ratio <share>', 'share of the steps over which the learning rate rises from 0', share, 0)
    .addOption(new Option('--order <name>', 'of the pairs in an epoch').choices(['file', 'shuffled']).default('file'))
    .option('--max-grad-norm <norm>', 'gradients are scaled down to this global norm', positive, 1)
    .option('--label-smoothing <share>', 'share of pairs taken to be the wrong way round', half, 0)
    .addOption(new Option('--dtype <type>', 'arithmetic of matrix products').choices(['fp32', 'bf16']).default('fp32'))
    .option('--lora-rank <rank>', 'train adapters of this rank instead of all weights', atLeastOne)
    .option('--lora-alpha <alpha>', 'scale of the adapters times their rank; twice the rank without it', positive)
    .option(
      '--lora-targets <names>',
      `layers with adapters, comma-separated, of ${LORA_TARGETS.join(', ')}`,
      loraTargets,
    )
    .option('--lora-dropout <share>', 'of the adapters’ inputs that drop out in training; 0 without it', belowOne)
    .option(
      '--lora-init <dir>',
      'PEFT adapter to start from; gives rank, alpha, targets and dropout where they are not given',
    )
    .option('--seed <n>', 'of the order and of fresh adapters', wholeNumber, 0)
    .option('--trace <file>', 'JSONL, a line for each step as it is done')
    .action(async (options: DpoArguments) => (await import('./dpo.action.js')).dpo(options));
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('Expected a number from 0 to 1.');
  return value;
}

/** What drops out wholly trains nothing. */
function belowOne(text: string): number {
  const value = share(text);
  if (value === 1) throw new InvalidArgumentError('Expected a number from 0 to under 1.');
  return value;
}

/** At one half a pair says nothing, above it the opposite. */
function half(text: string): number {
  const value = share(text);
  if (value > 0.5) throw new InvalidArgumentError('Expected a number from 0 to 0.5.');
  return value;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value)) throw new InvalidArgumentError('Expected a whole number.');
  return value;
}
