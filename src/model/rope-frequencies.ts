import type { ModelConfig, RopeScaling } from './model-config.js';

export type RopeConfig = Pick<ModelConfig, 'headDim' | 'ropeTheta' | 'ropeScaling'>;

/**
 * What a head's pairs turn by from one position to the next: pair i by theta^(-2i / headDim) (arXiv 2104.09864),
 * scaled as transformers does (`modeling_rope_utils.py`).
 */
export function ropeFrequencies({ headDim, ropeTheta, ropeScaling }: RopeConfig): number[] {
  const half = headDim / 2;
  const frequencies = Array.from({ length: half }, (_, i) => ropeTheta ** (-i / half));
  return ropeScaling === null ? frequencies : frequencies.map((frequency) => scaled(frequency, ropeScaling));
}

function scaled(frequency: number, scaling: RopeScaling): number {
  const slow = frequency / scaling.factor;
  if (scaling.type === 'linear') return slow;
  // Llama 3: what turns seldom within the original context turns slower, what turns often stays, between them both.
  const { lowFrequencyFactor: low, highFrequencyFactor: high, originalMaxPositions } = scaling;
  const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
  const share = Math.min(1, Math.max(0, (turns - low) / (high - low)));
  return (1 - share) * slow + share * frequency;
}
