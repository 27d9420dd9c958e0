// Samples with Driftloop's engine: settings as one JSON argument, figures as one JSON line.

import { readModelConfig } from '../../../dist/src/model/model-config.js';
import { generate } from '../../../dist/src/model/sampling/generate.js';
import { loadWeights } from '../../../dist/src/model/weights.js';
import { stopwatch } from '../stopwatch.mjs';

/**
 * @typedef {{ model: string, prompts: number[][], samples: number, lengths: number[], dtype: 'fp32' | 'bf16', repeats: number }} Settings
 * `lengths`: tokens that each completion gets, whatever its EOS; a prompt has `samples` of them.
 */

/** @param {Settings} settings */
async function measure({ model, prompts, samples, lengths, dtype, repeats }) {
  const setup = stopwatch();
  const config = readModelConfig(model);
  const decoder = { config, weights: loadWeights(model, config), lora: null, dtype };
  const requests = lengths.map((maxNewTokens, i) => ({
    promptIds: prompts[Math.floor(i / samples)],
    seed: i,
    maxNewTokens,
  }));
  const settings = { temperature: 0.7, topP: 1, topK: 0, maxNewTokens: Math.max(...lengths) };
  const options = { eosIds: [], decode: () => '' };
  const once = async (all) => {
    const watch = stopwatch();
    const drawn = await generate(decoder, all, settings, options);
    return { ...watch(), tokens: drawn.reduce((sum, { ids }) => sum + ids.length, 0) };
  };
  const setupTook = setup();
  const first = await once(requests.map((request) => ({ ...request, maxNewTokens: 1 })));
  const runs = [];
  for (let i = 0; i < repeats; i++) runs.push(await once(requests));
  return { setup: setupTook, first, runs, peakBytes: process.resourceUsage().maxRSS * 1024 };
}

console.log(JSON.stringify(await measure(JSON.parse(process.argv[2]))));
