import type { TrainingEngine } from './training-engine.js';

/** In this process, on TensorFlow's native library, which is loaded with the first model. */
export function createTfjsEngine(): TrainingEngine {
  return {
    name: 'tfjs',
    load: async (modelDir, options) => {
      const { TfjsPolicy } = await import('./tfjs-policy.js');
      return TfjsPolicy.load(modelDir, options);
    },
  };
}
