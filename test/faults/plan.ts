import { seededRandom, shuffledIndices } from '../../src/model/random.js';

export const FAULT_KINDS = [
  'consumer-killed',
  'classifier-killed',
  'consumer-joins',
  'consumer-leaves',
  'broker-restarted',
  'postgres-restarted',
  'postgres-crashed',
  'connections-cut',
  'disk-full',
  'poison',
  'topic-remade',
  'clock-jump',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** While a server is away, refuses, or drops connections, a process that is on its way up may end and be started again. */
export const MAY_KEEP_FROM_STARTING: ReadonlySet<FaultKind> = new Set([
  'broker-restarted',
  'postgres-restarted',
  'postgres-crashed',
  'connections-cut',
  'disk-full',
]);

/** Kinds that need of the machine what it may not have. */
export const MAY_NOT_RUN: ReadonlySet<FaultKind> = new Set(['disk-full']);

export interface PlannedFault {
  kind: FaultKind;
  /** Share of its part of the stream that is stored when it strikes, 0 to 1. */
  at: number;
  /** Decides all else that is left to chance in it. */
  seed: number;
}

/** Faults in random order, each kind at least once. The same seed gives the same plan. */
export function planFaults(count: number, seed: number): PlannedFault[] {
  const random = seededRandom(seed);
  const kinds = Array.from({ length: count }, (_, index) =>
    index < FAULT_KINDS.length ? FAULT_KINDS[index]! : FAULT_KINDS[Math.floor(random() * FAULT_KINDS.length)]!,
  );
  return shuffledIndices(count, random).map((index) => ({
    kind: kinds[index]!,
    at: random(),
    seed: Math.floor(random() * 2 ** 31),
  }));
}
