import { DriftError } from '../drift-error.js';
import type { TokenIds } from '../training/engine/training-engine.js';
import type { ModelConfig } from './model-config.js';

type Limits = Pick<ModelConfig, 'vocabSize' | 'maxPositions'>;

/**
 * Whether a model can go on from a prompt by so many tokens.
 * @throws DriftError `record-invalid`
 */
export function checkRoom({ vocabSize, maxPositions }: Limits, promptIds: TokenIds, newTokens: number): void {
  if (promptIds.length === 0) throw new DriftError('record-invalid', 'A prompt needs at least one token.');
  if (newTokens === 0) throw new DriftError('record-invalid', 'A completion needs at least one token.');
  const length = promptIds.length + newTokens;
  if (length > maxPositions) {
    const problem = `Prompt and completion have ${length} tokens, the model takes ${maxPositions}.`;
    throw new DriftError('record-invalid', problem, { facts: { length, maxPositions } });
  }
  refuseUnknown(promptIds, vocabSize);
}

/** The same for a completion that is there. */
export function checkCompletion(limits: Limits, promptIds: TokenIds, completionIds: TokenIds): void {
  checkRoom(limits, promptIds, completionIds.length);
  refuseUnknown(completionIds, limits.vocabSize);
}

function refuseUnknown(ids: TokenIds, vocabSize: number): void {
  const unknown = ids.find((id) => id < 0 || id >= vocabSize);
  if (unknown === undefined) return;
  throw new DriftError('record-invalid', `Token id ${unknown} is not in the model's vocabulary of ${vocabSize}.`);
}
