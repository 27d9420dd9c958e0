import { DriftError } from '../../drift-error.js';
import type { RunSettings } from '../settings.js';

type Limits = Pick<RunSettings, 'promptTokens' | 'guidedPromptTokens' | 'sequenceTokens' | 'newTokens'>;

/**
 * Whether a model with so many positions can take the longest sequences of a run. Held-out chosen are always sampled
 * from the guided prompt.
 * @throws DriftError `usage`, naming the options to change
 */
export function checkPositions(limits: Limits, maxPositions: number): void {
  const { promptTokens, guidedPromptTokens, sequenceTokens, newTokens } = limits;
  const wanted: [string, number][] = [
    ['--guided-prompt-tokens + --new-tokens', guidedPromptTokens + newTokens],
    ['--prompt-tokens + --new-tokens', promptTokens + newTokens],
    ['--sequence-tokens', sequenceTokens],
  ];
  const over = wanted.filter(([, tokens]) => tokens > maxPositions).map(([name, tokens]) => `${name} (${tokens})`);
  if (over.length === 0) return;
  const message = `The model takes sequences of at most ${maxPositions} tokens: lower ${over.join(', ')}.`;
  throw new DriftError('usage', message, { facts: { maxPositions, ...limits } });
}
