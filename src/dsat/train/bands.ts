import { operating, scoredFor } from '../evaluation/judged.js';
import { averagePrecision } from '../evaluation/metrics.js';
import type { Band, Decision } from '../stage-model.js';
import { type CascadeExample, EVERYTHING, type StageName, throughCascade } from './fit-decision.js';

/** What the cascade reaches with a band. */
export interface MeasuredBand {
  band: Band;
  /** Share of the turns that the second stage decides. */
  provisional: number;
  dsatAveragePrecision: number;
  dsatF1: number;
  satF1: number;
}

const DSAT_FROM = [0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25];
const DSAT_TO = [0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1];
const SAT_FROM = [0.02, 0.05, 0.1, 0.2];
const SAT_TO = [0.8, 0.9, 1];

/** Every band of the grid, from the one that leaves the fewest turns to the second stage. */
export function measureBands(examples: CascadeExample[], decisions: Record<StageName, Decision>): MeasuredBand[] {
  const bands = DSAT_FROM.flatMap((from) =>
    DSAT_TO.flatMap((to) =>
      SAT_FROM.flatMap((satFrom) => SAT_TO.map((satTo): Band => ({ dsat: [from, to], sat: [satFrom, satTo] }))),
    ),
  );
  return bands
    .map((band) => measureBand(examples, band, decisions))
    .sort((a, b) => a.provisional - b.provisional || b.dsatAveragePrecision - a.dsatAveragePrecision);
}

export function measureBand(
  examples: CascadeExample[],
  band: Band,
  decisions: Record<StageName, Decision>,
): MeasuredBand {
  const results = examples.map((example) => throughCascade(example, band, decisions));
  return {
    band,
    provisional: results.filter(({ provisional }) => provisional).length / examples.length,
    dsatAveragePrecision: averagePrecision(scoredFor('dsat', results)),
    dsatF1: operating('dsat', results).f1,
    satF1: operating('sat', results).f1,
  };
}

/** What the cascade may lose against the second stage alone, in each figure. */
export const TOLERATED_LOSS = 0.005;

/** The second stage is some hundred times as costly as the first: it may read no more of the turns than this. */
export const MOST_PROVISIONAL = 0.5;

/**
 * The band that leaves the fewest turns to the second stage without losing more than is tolerated; where none that leaves
 * few enough does, the one among those with the best average precision.
 */
export function chooseBand(examples: CascadeExample[], decisions: Record<StageName, Decision>): MeasuredBand {
  const alone = measureBand(examples, EVERYTHING, decisions);
  const bands = measureBands(examples, decisions).filter(({ provisional }) => provisional <= MOST_PROVISIONAL);
  const good = bands.find(
    (band) =>
      band.dsatAveragePrecision >= alone.dsatAveragePrecision - TOLERATED_LOSS &&
      band.dsatF1 >= alone.dsatF1 - TOLERATED_LOSS &&
      band.satF1 >= alone.satF1 - TOLERATED_LOSS,
  );
  return good ?? bands.reduce((best, band) => (band.dsatAveragePrecision > best.dsatAveragePrecision ? band : best));
}

/** Accuracy against the share that goes to the second stage: for each twentieth the best band that stays within it. */
export function frontier(bands: MeasuredBand[]): MeasuredBand[] {
  const within = (share: number) => bands.filter(({ provisional }) => provisional <= share);
  const best = Array.from({ length: 20 }, (_, twentieth) =>
    within((twentieth + 1) / 20).reduce<MeasuredBand | null>(
      (top, band) => (top === null || band.dsatAveragePrecision > top.dsatAveragePrecision ? band : top),
      null,
    ),
  );
  return [...new Set(best)].filter((band) => band !== null);
}
