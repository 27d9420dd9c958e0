import { LAYER, MODEL, triangle } from '../model-size.mjs';

/**
 * FLOP that sampling needs: each prompt once, one pass a token, attention only where a token may look, the head where a
 * token is drawn.
 * @param {{ prompts: number[][], samples: number, lengths: number[] }} settings
 */
export function samplingFlop({ prompts, samples, lengths }) {
  const { layers, hidden, heads, headDim, vocab } = MODEL;
  const drawn = lengths.reduce((sum, length) => sum + length, 0);
  const passed = prompts.reduce((sum, { length }) => sum + length, 0) + drawn - lengths.length;
  const seen =
    prompts.reduce((sum, { length }) => sum + triangle(length), 0) +
    lengths.reduce((sum, length, i) => {
      const prompt = prompts[Math.floor(i / samples)].length;
      return sum + (length - 1) * prompt + triangle(length - 1);
    }, 0);
  return 2 * layers * LAYER * passed + 2 * 2 * layers * heads * headDim * seen + 2 * hidden * vocab * drawn;
}
