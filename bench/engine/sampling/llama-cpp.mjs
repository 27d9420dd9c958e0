// Samples with llama.cpp: settings as one JSON argument, figures as one JSON line. The GGUF file as it was published.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stopwatch } from '../stopwatch.mjs';

/** @typedef {{ packageDir: string, gguf: string, prompts: number[][], newTokens: number, repeats: number, threads: number }} Settings */

/** @param {Settings} settings */
async function measure({ packageDir, gguf, prompts, newTokens, repeats, threads }) {
  const setup = stopwatch();
  const { getLlama } = await import(pathToFileURL(join(packageDir, 'node_modules/node-llama-cpp/dist/index.js')).href);
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: threads });
  const model = await llama.loadModel({ modelPath: gguf });
  const sequences = prompts.length;
  const contextSize = Math.max(...prompts.map(({ length }) => length)) + newTokens + 8;
  const context = await model.createContext({ sequences, contextSize, threads, batchSize: 256 * sequences });
  const all = prompts.map(() => context.getSequence());
  const once = async (limit) => {
    for (const sequence of all) await sequence.clearHistory();
    const watch = stopwatch();
    const counts = await Promise.all(all.map((sequence, i) => draw(sequence, prompts[i], limit)));
    return { ...watch(), tokens: counts.reduce((sum, count) => sum + count, 0) };
  };
  const setupTook = setup();
  const first = await once(1);
  const runs = [];
  for (let i = 0; i < repeats; i++) runs.push(await once(newTokens));
  return { setup: setupTook, first, runs, peakBytes: process.resourceUsage().maxRSS * 1024 };
}

async function draw(sequence, prompt, limit) {
  let count = 0;
  const settings = { temperature: 0.7, topK: 0, topP: 1, minP: 0, yieldEogToken: true };
  for await (const _ of sequence.evaluate(prompt, settings)) if (++count >= limit) break;
  return count;
}

console.log(JSON.stringify(await measure(JSON.parse(process.argv[2]))));
process.exit(0);
