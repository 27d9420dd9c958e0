import { expect, test } from 'vitest';
import { seededRandom } from './random.js';
import { sampleToken } from './sample-token.js';

// Probabilities 0.5, 0.1, 0.3, 0.1
const logits = Float32Array.from([0.5, 0.1, 0.3, 0.1], Math.log);

function frequencies(settings: Parameters<typeof sampleToken>[1], draws = 20_000): number[] {
  const random = seededRandom(1);
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < draws; i++) counts[sampleToken(logits, settings, random())]! += 1;
  return counts.map((count) => count / draws);
}

/** Chi-square over the tokens that can be drawn; 3 degrees of freedom at most, 16.3 is p = 0.001. */
function expectDistribution(observed: number[], expected: number[], draws = 20_000): void {
  for (const [i, share] of expected.entries()) if (share === 0) expect(observed[i]).toBe(0);
  const square = expected.reduce((sum, p, i) => (p === 0 ? sum : sum + (draws * (observed[i]! - p) ** 2) / p), 0);
  expect(square).toBeLessThan(16.3);
}

test('takes the most probable token at temperature 0, the first of equals', () => {
  expect(sampleToken(logits, { temperature: 0, topP: 1, topK: 0 }, 0.99)).toBe(0);
  expect(sampleToken(new Float32Array([1, 3, 3]), { temperature: 0, topP: 1, topK: 0 }, 0.99)).toBe(1);
});

test('draws tokens as often as they are probable', () => {
  expectDistribution(frequencies({ temperature: 1, topP: 1, topK: 0 }), [0.5, 0.1, 0.3, 0.1]);
});

test('sharpens by temperature', () => {
  const squares = [0.25, 0.01, 0.09, 0.01].map((p) => p / 0.36);
  expectDistribution(frequencies({ temperature: 0.5, topP: 1, topK: 0 }), squares);
});

test('keeps the smallest set that holds topP, and at most topK', () => {
  expectDistribution(frequencies({ temperature: 1, topP: 0.75, topK: 0 }), [0.625, 0, 0.375, 0]);
  expectDistribution(frequencies({ temperature: 1, topP: 0.85, topK: 0 }), [5 / 9, 1 / 9, 3 / 9, 0]);
  expectDistribution(frequencies({ temperature: 1, topP: 1, topK: 1 }), [1, 0, 0, 0]);
  // Of the two best, 0.625 and 0.375 once the rest is gone.
  expectDistribution(frequencies({ temperature: 1, topP: 0.6, topK: 2 }), [1, 0, 0, 0]);
});
