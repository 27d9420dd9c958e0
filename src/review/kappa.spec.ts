import { expect, it } from 'vitest';
import { agreementOf } from './kappa.js';

it("gives Cohen's kappa as worked out by hand", () => {
  // 20 both yes, 5 yes and no, 10 no and yes, 15 both no: observed 0.7, by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5.
  const times = (count: number, a: string, b: string) => Array.from({ length: count }, () => [a, b] as const);
  const pairs = [...times(20, 'y', 'y'), ...times(5, 'y', 'n'), ...times(10, 'n', 'y'), ...times(15, 'n', 'n')];
  const { turns, agreement, kappa } = agreementOf(pairs);
  expect({ turns, agreement }).toEqual({ turns: 50, agreement: 0.7 });
  expect(kappa).toBeCloseTo(0.4, 12);
});

it('knows no kappa where both can only agree', () => {
  expect(agreementOf([['a', 'a']])).toEqual({ turns: 1, agreement: 1, kappa: null });
});
