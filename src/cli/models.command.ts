import type { Command } from 'commander';
import type { ImportArguments, MergeArguments } from './models.action.js';

export function register(program: Command): void {
  const models = program.command('models').description('the base models that policies start from');
  models
    .command('prepare')
    .description('convert the default model, which setup fetched, to a Hugging Face directory in the cache')
    .action(prepare);
  models
    .command('import')
    .description('convert a GGUF file to a Hugging Face directory with fp32 weights')
    .requiredOption('--gguf <file>', 'of a Llama or Qwen2 model with a byte-level BPE tokenizer')
    .requiredOption('--out <dir>', 'must not exist')
    .action(async (options: ImportArguments) => (await import('./models.action.js')).importModel(options));
  models
    .command('merge')
    .description('write the model that a PEFT adapter over its base amounts to')
    .requiredOption('--adapter <dir>', 'PEFT directory (adapter_config.json, adapter_model.safetensors)')
    .option('--base <dir>', 'its base model; without it, the one that the adapter names')
    .requiredOption('--out <dir>', 'must not exist')
    .action(async (options: MergeArguments) => (await import('./models.action.js')).mergeModel(options));
  models
    .command('list')
    .description('the models that commands use without --model')
    .option('--json', 'one JSON object a line')
    .action(list);
}

async function prepare(): Promise<void> {
  const { loadConfig } = await import('../config/config.js');
  const { prepareDefaultModel } = await import('../model/default-model.js');
  console.error('preparing the default model');
  const { dir, outcome } = await prepareDefaultModel(loadConfig());
  console.error(outcome === 'present' ? 'it was there already' : 'done');
  console.log(dir);
}

async function list(options: { json?: boolean }): Promise<void> {
  const { loadConfig } = await import('../config/config.js');
  const { listModels } = await import('../model/default-model.js');
  for (const model of listModels(loadConfig())) {
    const state = model.present
      ? `${model.architecture}, ${(model.parameters / 1e6).toFixed(1)}M parameters`
      : 'not there';
    console.log(options.json ? JSON.stringify(model) : `${model.name}\t${state}\t${model.dir}`);
  }
}
