import { type Command, InvalidArgumentError, Option } from 'commander';
import { LORA_TARGETS } from '../training/engine/training-engine.js';
import type { RunSettings } from '../training/settings.js';
import { loraTargets } from './lora-targets.js';

interface TrainOptions extends Partial<Omit<RunSettings, 'preset' | 'warmStart'>> {
  preset: RunSettings['preset'];
  from: string;
  force: boolean;
  idleOk: boolean;
  warmStart?: 'on' | 'off';
  json: boolean;
}

export function register(program: Command): void {
  program
    .command('train')
    .description(
      'one DRIFT run: sample, pair, train, evaluate, publish a policy version; or the rest of an interrupted one',
    )
    .addOption(new Option('--preset <name>', 'settings to start from').choices(['default', 'quick']).default('default'))
    .option('--from <version>', 'policy to start from: latest, base, or a version', 'latest')
    .option('--force', 'train although no anchor is new since the last run', false)
    .option('--idle-ok', 'end with 0 where there is nothing to do: a Job takes 3 for a failure', false)
    .option('--iterations <n>', 'iterations of sample, pair, train, evaluate', number)
    .addOption(
      new Option('--sampling <mode>', 'what the model sees when it samples chosen').choices(['guided', 'unguided']),
    )
    .addOption(new Option('--reference <policy>', 'frozen counterpart in the loss').choices(['start', 'seed', 'base']))
    .addOption(
      new Option('--warm-start <switch>', 'DPO on seed pairs first, from the base model').choices(['on', 'off']),
    )
    .addOption(
      new Option('--origin <origin>', 'anchors that users gave, that were imported, or both').choices([
        'observed',
        'imported',
        'any',
      ]),
    )
    .option('--anchors <n>', 'most training anchors', number)
    .option('--held-out-anchors <n>', 'most held-out anchors', number)
    .option('--max-user-share <share>', 'most of the anchors that one user may supply', number)
    .option('--max-tenant-share <share>', 'most of the anchors that one of several tenants may supply', number)
    .option('--prompt-tokens <n>', 'limit of the prompt of a pair', number)
    .option('--guided-prompt-tokens <n>', 'limit of the prompt of guided sampling', number)
    .option('--sequence-tokens <n>', 'limit of prompt and completion together', number)
    .option('--new-tokens <n>', 'most tokens of a sample', number)
    .option('--min-p <share>', 'sample only tokens at least so many times as probable as the best', number)
    .option('--repetition-penalty <factor>', 'by which tokens that are there already become less probable', number)
    .option('--tries <n>', 'samples drawn until one passes verification', number)
    .option('--learning-rate <rate>', 'peak learning rate', number)
    .option('--beta <beta>', 'strength of the tie to the reference', number)
    .option('--batch-size <n>', 'pairs a step', number)
    .option('--epochs <n>', 'passes over the pairs of an iteration', number)
    .option('--label-smoothing <share>', 'share of pairs taken to be the wrong way round', number)
    .addOption(
      new Option('--verdict-confidence <use>', 'what the measured precision of a verdict decides').choices([
        'off',
        'threshold',
        'weight',
        'smoothing',
      ]),
    )
    .option('--least-precision <share>', 'precision from which on anchors are trained on, with threshold', number)
    .option('--sft-weight <weight>', 'weight of the likelihood of chosen in the loss', number)
    .option('--lora-rank <rank>', 'train adapters of this rank instead of all weights', number)
    .addOption(
      new Option('--reply-judge <judge>', 'who says whether chosen is better than rejected').choices([
        'embedded',
        'llm',
      ]),
    )
    .option(
      '--lora-targets <names>',
      `layers with adapters, comma-separated, of ${LORA_TARGETS.join(', ')}`,
      loraTargets,
    )
    .option('--lora-dropout <share>', 'of the adapters’ inputs that drop out in training', number)
    .addOption(new Option('--dtype <type>', 'arithmetic of matrix products').choices(['fp32', 'bf16']))
    .option('--seed <n>', 'seed of everything random', number)
    .option('--json', 'end with the summary as one JSON object', false)
    .action(run);
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It is not a number.');
  return value;
}

async function run({ preset, from, force, idleOk, warmStart, json, ...overrides }: TrainOptions): Promise<void> {
  const { settingsOf } = await import('../training/settings.js');
  const settings = settingsOf(preset, { ...overrides, ...(warmStart && { warmStart: warmStart === 'on' }) });
  const { runTrain } = await import('../training/run-train.js');
  const { EXIT } = await import('./program.js');
  const result = await runTrain({ settings, from, force });
  if (result.outcome === 'nothing-to-do' && !idleOk) process.exitCode = EXIT.nothingToDo;
  const { renderResult } = await import('../training/render-summary.js');
  console.log(json ? JSON.stringify(result) : renderResult(result));
}
