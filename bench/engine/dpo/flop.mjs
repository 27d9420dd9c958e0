import { readFileSync } from 'node:fs';
import { LAYER, MODEL, triangle } from '../model-size.mjs';

/**
 * FLOP that a step needs, as the mean over the file's measured steps: a pair's prompt once, the head on completion
 * tokens, attention only where a token may look, nothing computed twice. A product's backward pass takes as much as its
 * forward pass for the input's gradient, and as much again for the weight's, which adapters do without.
 * @param {{ pairs: string, steps: number, batchSize: number, lora: number | null }} settings
 */
export function stepFlop({ pairs, steps, batchSize, lora }) {
  const measured = JSON.parse(readFileSync(pairs, 'utf8')).slice(batchSize, steps * batchSize);
  const total = measured.reduce((sum, pair) => sum + pairFlop(pair, lora), 0);
  return total / (steps - 1);
}

function pairFlop({ prompt_ids, chosen_ids, rejected_ids }, lora) {
  const [prompt, chosen, rejected] = [prompt_ids.length, chosen_ids.length - 1, rejected_ids.length - 1];
  const { layers, hidden, intermediate, heads, kvHeads, headDim, vocab } = MODEL;
  const adapter = lora === null ? 0 : lora * (7 * hidden + 2 * (heads + kvHeads) * headDim + 3 * intermediate);
  const tokens = prompt + chosen + rejected;
  const seen = triangle(prompt) + (chosen + rejected) * prompt + triangle(chosen) + triangle(rejected);
  const passes = lora === null ? 3 : 2;
  const linear = 2 * layers * tokens * (passes * LAYER + 3 * adapter);
  const head = 2 * passes * (chosen_ids.length + rejected_ids.length) * hidden * vocab;
  return linear + head + 3 * 2 * 2 * layers * seen * heads * headDim;
}
