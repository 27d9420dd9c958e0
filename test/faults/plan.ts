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
