import type { Evidence, Verdict } from '../verdict.js';

/** Probabilities nearer to 0 or 1 than this are taken for this. */
const NEAREST = 1e-6;

/**
 * The verdict with what feedback on the reply adds to the log-odds of dsat. From one half on the turn is dsat. Below,
 * what speaks against dsat takes a dsat verdict back and settles it; what speaks for it changes no label, and makes a sat
 * verdict abstain. What the classifier said stays beside it; the probabilities are without the evidence.
 */
export function withEvidence(verdict: Verdict, evidence: Evidence): Verdict {
  const { label, rubric, abstained } = verdict.classified ?? verdict;
  const whole = { ...verdict, evidence, classified: { label, rubric, abstained } };
  if (probabilityWith(evidence, verdict.probabilities.dsat) >= 0.5) {
    return { ...whole, label: 'dsat', rubric: rubric ?? 'other', abstained: false };
  }
  if (evidence.logOdds > 0) return { ...whole, label, rubric, abstained: abstained || label === 'sat' };
  if (evidence.logOdds < 0)
    return { ...whole, label: label === 'dsat' ? 'neutral' : label, rubric: null, abstained: false };
  return { ...whole, label, rubric, abstained };
}

function probabilityWith({ logOdds }: Evidence, probability: number): number {
  const p = Math.min(1 - NEAREST, Math.max(NEAREST, probability));
  return 1 / (1 + Math.exp(-(Math.log(p / (1 - p)) + logOdds)));
}

export const EVIDENCE_EFFECTS = ['dsat', 'not-dsat', 'settled', 'abstains', 'none'] as const;
export type EvidenceEffect = (typeof EVIDENCE_EFFECTS)[number];

/** What the evidence made of what the classifier said. */
export function effectOf({ label, abstained, classified }: Verdict): EvidenceEffect {
  if (!classified) return 'none';
  if (label !== classified.label) return label === 'dsat' ? 'dsat' : 'not-dsat';
  if (abstained === classified.abstained) return 'none';
  return abstained ? 'abstains' : 'settled';
}
