import { describe, expect, it } from 'vitest';
import { bootstrapInterval } from './bootstrap.js';

describe('bootstrapInterval', () => {
  it('lies around the figure, and is the same again', () => {
    const turns = Array.from({ length: 200 }, (_, at) => ({ conversation: `c${at >> 1}`, hit: at % 4 < 2 ? 1 : 0 }));
    const mean = (sample: typeof turns) => sample.reduce((sum, { hit }) => sum + hit, 0) / sample.length;
    const [low, high] = bootstrapInterval(turns, mean);
    expect(low).toBeGreaterThan(0.38);
    expect(low).toBeLessThan(0.45);
    expect(high).toBeGreaterThan(0.55);
    expect(high).toBeLessThan(0.62);
    expect(bootstrapInterval(turns, mean)).toEqual([low, high]);
  });
});
