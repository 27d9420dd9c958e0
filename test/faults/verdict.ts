import { type FaultKind, MAY_KEEP_FROM_STARTING, MAY_NOT_RUN, type PlannedFault } from './plan.js';
import type { FaultsReport } from './run-faults.js';
import type { Crash } from './workers.js';

export interface FaultOutcome extends PlannedFault {
  outcome: 'survived' | 'not survived' | 'not run';
  /** What it did, or what went wrong. */
  what: string;
  seconds: number;
  /** Processes that ended without being told to until all was stored. */
  crashes: Crash[];
}

/** A process that was up never ends by itself; one that starts may, where the fault keeps it from that. */
export const forbiddenCrashes = (kind: FaultKind, crashes: readonly Crash[]): Crash[] =>
  crashes.filter(({ wasUp }) => wasUp || !MAY_KEEP_FROM_STARTING.has(kind));

/** Whether the run shows what it is to show: every fault struck, or could not here, and was survived; all rows are equal. */
export function passes({ faults, lost, doubled, lateCrashes }: FaultsReport): boolean {
  const survived = ({ kind, outcome }: FaultOutcome) =>
    outcome === 'survived' || (outcome === 'not run' && MAY_NOT_RUN.has(kind));
  return lost === 0 && doubled === 0 && lateCrashes.length === 0 && faults.every(survived);
}
