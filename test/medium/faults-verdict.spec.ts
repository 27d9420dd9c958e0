import { describe, expect, it } from 'vitest';
import type { FaultKind } from '../faults/plan.js';
import type { FaultsReport } from '../faults/run-faults.js';
import { type FaultOutcome, forbiddenCrashes, passes } from '../faults/verdict.js';
import type { Crash } from '../faults/workers.js';

const starting: Crash = { worker: 'ingest-1', wasUp: false, what: 'ended with 1' };
const up: Crash = { ...starting, wasUp: true };

function fault(kind: FaultKind, outcome: FaultOutcome['outcome'] = 'survived'): FaultOutcome {
  return { kind, outcome, at: 0.5, seed: 1, what: '', seconds: 1, crashes: [] };
}
const report = (given: Partial<FaultsReport>): FaultsReport => ({
  turns: 1,
  records: 1,
  faults: [fault('poison'), fault('disk-full')],
  lateCrashes: [],
  rows: {},
  lost: 0,
  doubled: 0,
  differences: [],
  ...given,
});

describe('a run passes', () => {
  it('where all faults were survived and all rows are equal', () => {
    expect(passes(report({}))).toBe(true);
    for (const failing of [
      { lost: 1 },
      { doubled: 1 },
      { lateCrashes: [starting] },
      { faults: [fault('poison', 'not survived')] },
    ])
      expect(passes(report(failing))).toBe(false);
  });

  it('without a full disk where none can be mounted, and without no other fault', () => {
    expect(passes(report({ faults: [fault('disk-full', 'not run')] }))).toBe(true);
    expect(passes(report({ faults: [fault('poison', 'not run')] }))).toBe(false);
  });
});

it('forbids that a process ends by itself, unless a server keeps it from starting', () => {
  expect(forbiddenCrashes('postgres-restarted', [up, starting])).toEqual([up]);
  expect(forbiddenCrashes('consumer-killed', [starting])).toEqual([starting]);
});
