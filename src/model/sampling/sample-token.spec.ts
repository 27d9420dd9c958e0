import { expect, test } from 'vitest';
import { seededRandom } from '../random.js';
import { type Choice, sampleToken } from './sample-token.js';

const PLAIN: Choice = { temperature: 1, topP: 1, topK: 0 };
const DRAWS = 20_000;

const PROBABILITIES = [0.5, 0.1, 0.3, 0.1];
const logits = Float32Array.from(PROBABILITIES, Math.log);

function rowOf(logits: Float32Array, temperature = 1) {
  const sum = logits.reduce((total, logit) => total + Math.exp(logit / (temperature || 1)), 0);
  return { logits, max: Math.max(...logits), logSum: Math.log(sum) };
}

function countsOf(logits: Float32Array, settings: Choice): number[] {
  const random = seededRandom(1);
  const row = rowOf(logits, settings.temperature);
  const counts = new Array<number>(logits.length).fill(0);
  for (let i = 0; i < DRAWS; i++) counts[sampleToken(row, settings, random())]! += 1;
  return counts;
}

/** Chi-square over the tokens that can be drawn, against the value that chance exceeds once in a thousand times. */
function expectDistribution(counts: number[], expected: number[], most = 16.3): void {
  for (const [i, share] of expected.entries()) if (share === 0) expect(counts[i]).toBe(0);
  const square = expected.reduce((sum, p, i) => (p === 0 ? sum : sum + (counts[i]! - DRAWS * p) ** 2 / (DRAWS * p)), 0);
  expect(square).toBeLessThan(most);
}

const expectDraws = (settings: Partial<Choice>, expected: number[]) =>
  expectDistribution(countsOf(logits, { ...PLAIN, ...settings }), expected);

test('takes the most probable token at temperature 0, the first of equals', () => {
  expect(sampleToken(rowOf(logits), { ...PLAIN, temperature: 0 }, 0.99)).toBe(0);
  expect(sampleToken(rowOf(new Float32Array([1, 3, 3])), { ...PLAIN, temperature: 0 }, 0.99)).toBe(1);
});

test('draws tokens as often as they are probable', () => {
  expectDraws({}, PROBABILITIES);
});

test('sharpens and flattens by temperature', () => {
  const powers = (power: number) => PROBABILITIES.map((p) => p ** power);
  const shares = (weights: number[]) => weights.map((weight) => weight / weights.reduce((sum, w) => sum + w, 0));
  expectDraws({ temperature: 0.5 }, shares(powers(2)));
  expectDraws({ temperature: 2 }, shares(powers(0.5)));
});

test('keeps the smallest set that holds topP, and at most topK', () => {
  expectDraws({ topP: 0.75 }, [0.625, 0, 0.375, 0]);
  expectDraws({ topP: 0.85 }, [5 / 9, 1 / 9, 3 / 9, 0]);
  expectDraws({ topK: 1 }, [1, 0, 0, 0]);
  // Of the two best, 0.625 and 0.375 once the rest is gone.
  expectDraws({ topP: 0.6, topK: 2 }, [1, 0, 0, 0]);
  expectDraws({ topP: 0.65, topK: 2 }, [0.625, 0, 0.375, 0]);
});

test('keeps with topK what equals the last of them', () => {
  expectDraws({ topK: 3 }, PROBABILITIES);
});

test('keeps what is at least minP times as probable as the best', () => {
  expectDraws({ minP: 0.5 }, [0.625, 0, 0.375, 0]);
  expectDraws({ minP: 0.61 }, [1, 0, 0, 0]);
  expectDraws({ minP: 0.1 }, PROBABILITIES);
  // What topP left out stays out.
  expectDraws({ minP: 0.1, topP: 0.85 }, [5 / 9, 1 / 9, 3 / 9, 0]);
});

test('reaches tokens far below the best', () => {
  const weights = Array.from({ length: 40 }, (_, i) => Math.exp(-i * 1.5) + 1e-3);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const far = Float32Array.from(weights, Math.log);
  // 39 degrees of freedom.
  expectDistribution(
    countsOf(far, PLAIN),
    weights.map((weight) => weight / total),
    72.1,
  );
});

test('gives every number below 1 a token, the least probable one last', () => {
  const row = rowOf(Float32Array.of(0, -60, -5000));
  expect(sampleToken(row, PLAIN, 1 - 2 ** -53)).toBeLessThan(3);
  expect(sampleToken(row, { ...PLAIN, topP: 0.999 }, 0.9999)).toBe(0);
});

test('refuses logits that are not finite', () => {
  expect(() => sampleToken(rowOf(Float32Array.of(Number.NaN, 1)), PLAIN, 0.5)).toThrow('not finite');
});
