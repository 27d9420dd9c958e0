import type { EntityManager } from 'typeorm';
import type { JudgedTurn } from '../dsat/verdict-rows.js';
import { writeAnchors } from './anchor-writer.js';
import { writeSeedPairs } from './seed-pair-writer.js';

export interface RecordedCases {
  anchors: number;
  seedPairs: number;
}

/**
 * What follows from verdicts once they are final: anchors and seed pairs. Call it in the transaction that wrote the
 * verdicts, which holds the locks of their conversations; verdicts that are provisional are left alone.
 */
export async function recordFinal(manager: EntityManager, judged: JudgedTurn[]): Promise<RecordedCases> {
  const anchors = await writeAnchors(manager, judged);
  return { anchors, seedPairs: await writeSeedPairs(manager, judged) };
}
