import { describe, expect, it } from 'vitest';
import { FeatureVector } from './feature-vector.js';

describe('FeatureVector', () => {
  it('gives each group its length and counts a feature of a group once', () => {
    const vector = new FeatureVector(16);
    vector.clear();
    vector.group(1, () => {
      for (const hash of [1, 2, 3, 4, 4]) vector.add(hash);
    });
    vector.group(0.5, () => vector.add(1));
    vector.group(9, () => {});
    expect([...vector.values.subarray(0, vector.size)]).toEqual([0.5, 0.5, 0.5, 0.5, 0.5]);
    expect(new Set(vector.indices.subarray(0, vector.size)).size).toBe(5);
  });

  it('forgets what it held, and grows as it must', () => {
    const vector = new FeatureVector(16);
    for (let pass = 0; pass < 2; pass++) {
      vector.clear();
      vector.group(1, () => {
        for (let hash = 0; hash < 20_000; hash++) vector.add(hash);
      });
      expect(vector.size).toBeGreaterThan(15_000);
      expect(new Set(vector.indices.subarray(0, vector.size)).size).toBe(vector.size);
    }
  });
});
