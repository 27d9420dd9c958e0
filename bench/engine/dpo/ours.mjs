// Trains on tokenised pairs with Driftloop's engine: settings as one JSON argument, figures as one JSON line.
import { readFileSync } from 'node:fs';
import { readModelConfig } from '../../../dist/src/model/model-config.js';
import { peakBytes } from '../../../dist/src/model/training-memory.js';
import { pairLogps } from '../../../dist/src/training/engine/pair-logps.js';
import { createTfjsEngine } from '../../../dist/src/training/engine/tfjs.engine.js';
import { stopwatch } from '../stopwatch.mjs';

/** @typedef {{ model: string, pairs: string, count: number, batchSize: number, dtype: 'fp32' | 'bf16', lora: number | null }} Settings */

const SETTINGS = {
  learningRate: 5e-7,
  beta: 0.1,
  epochs: 1,
  schedule: /** @type {const} */ ('constant'),
  warmupRatio: 0,
  order: /** @type {const} */ ('file'),
  maxGradNorm: 1,
  labelSmoothing: 0,
  sftWeight: 0,
  seed: 0,
};

/** @param {Settings} settings */
async function measure({ model, pairs: file, count, batchSize, dtype, lora }) {
  const setup = stopwatch();
  const rows = JSON.parse(readFileSync(file, 'utf8')).slice(0, count);
  const adapter = lora === null ? undefined : { rank: lora, alpha: 2 * lora, seed: 0 };
  const policy = await createTfjsEngine().load(model, { dtype, lora: adapter });
  const pairs = rows.map((row) => ({
    promptIds: row.prompt_ids,
    chosenIds: row.chosen_ids,
    rejectedIds: row.rejected_ids,
  }));
  const reference = await pairLogps(policy, pairs);
  const referenced = pairs.map((pair, i) => ({ ...pair, reference: reference[i] }));
  const setupTook = setup();
  const steps = [];
  let step = stopwatch();
  await policy.train(referenced, { ...SETTINGS, batchSize }, ({ loss }) => {
    steps.push({ ...step(), loss });
    step = stopwatch();
  });
  const estimate = peakBytes({ config: readModelConfig(model), dtype, loraRank: lora, batchSize }, pairs).kept;
  return { setup: setupTook, steps, peakBytes: process.resourceUsage().maxRSS * 1024, estimatedBytes: estimate };
}

console.log(JSON.stringify(await measure(JSON.parse(process.argv[2]))));
