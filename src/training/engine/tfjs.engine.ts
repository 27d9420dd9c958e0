import { readModelConfig } from '../../model/model-config.js';
import type { TrainingEngine } from './training-engine.js';

/** In this process, on TensorFlow's native library, which is loaded with the first model. */
export function createTfjsEngine(): TrainingEngine {
  return {
    name: 'tfjs',
    checkMemory: async (modelDir, { dtype, loraRank, batchSize }, longest, sampled) => {
      const { checkSamplingMemory } = await import('../../model/sampling/sampling-memory.js');
      const { mustRecompute } = await import('../../model/training-memory.js');
      const size = { config: readModelConfig(modelDir), dtype, loraRank, batchSize };
      checkSamplingMemory(size, sampled);
      mustRecompute(size, new Array(batchSize).fill(longest));
    },
    load: async (modelDir, options) => {
      const { TfjsPolicy } = await import('./tfjs-policy.js');
      return TfjsPolicy.load(modelDir, options);
    },
  };
}
