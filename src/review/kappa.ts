/** How two that judged the same turns agree. */
export interface Agreement {
  turns: number;
  /** Share of the turns on which both say the same. */
  agreement: number;
  /** Cohen's kappa: agreement beyond that of chance (Cohen 1960); null where chance alone agrees on everything. */
  kappa: number | null;
}

/** Of the labels that the two gave the same turns, at least one turn. */
export function agreementOf(pairs: readonly (readonly [string, string])[]): Agreement {
  const turns = pairs.length;
  const observed = pairs.filter(([a, b]) => a === b).length / turns;
  const share = (side: 0 | 1, label: string) => pairs.filter((pair) => pair[side] === label).length / turns;
  const labels = new Set(pairs.flat());
  const expected = [...labels].reduce((sum, label) => sum + share(0, label) * share(1, label), 0);
  return { turns, agreement: observed, kappa: expected === 1 ? null : (observed - expected) / (1 - expected) };
}
