import { RUBRICS, type Rubric } from '../verdict.js';
import { type Interval, middle, resamples } from './bootstrap.js';
import type { EvaluatedTurn } from './labelled-turn.js';
import type { Weights } from './metrics.js';

/** How well one reason for dissatisfaction is found, and how far it can be trusted. */
export interface RubricFigures {
  rubric: Rubric;
  /** Turns labelled dsat for this reason. */
  turns: number;
  /** Share of them that are called dsat; null where there are none. */
  found: number | null;
  /** Share of them to which this reason is given, whatever they are called. */
  named: number | null;
  /** Turns that are called dsat for this reason. */
  called: number;
  /** Share of those that are labelled dsat, for whatever reason; null where there are none. */
  precision: number | null;
  precision95: Interval | null;
}

export function rubricFigures(turns: EvaluatedTurn[]): RubricFigures[] {
  return RUBRICS.map((rubric) => {
    const labelled = turns.filter((turn) => turn.label === 'dsat' && turn.rubric === rubric);
    const called = turns.filter((turn) => turn.decided === 'dsat' && turn.named === rubric);
    return {
      rubric,
      turns: labelled.length,
      found: share(labelled, ({ decided }) => decided === 'dsat'),
      named: share(labelled, ({ named }) => named === rubric),
      called: called.length,
      precision: share(called, isDsat),
      precision95:
        called.length > 0 ? middle(resamples(called).map((weights) => share(called, isDsat, weights)!)) : null,
    };
  });
}

/** Share of the turns labelled dsat whose reason is the most probable one; of those of which both reasons are known. */
export function rubricAccuracy(
  turns: Pick<EvaluatedTurn, 'label' | 'rubric' | 'named'>[],
  weights?: Weights,
): number | null {
  const counts = ({ label, rubric, named }: (typeof turns)[number]) =>
    label === 'dsat' && rubric !== null && named !== null;
  const weightsOf = turns.map((turn, at) => (counts(turn) ? (weights?.[at] ?? 1) : 0));
  return share(turns, ({ rubric, named }) => named === rubric, weightsOf);
}

const isDsat = ({ label }: EvaluatedTurn) => label === 'dsat';

function share<T>(turns: T[], is: (turn: T) => boolean, weights?: Weights): number | null {
  let [counted, all] = [0, 0];
  turns.forEach((turn, at) => {
    const weight = weights?.[at] ?? 1;
    all += weight;
    if (is(turn)) counted += weight;
  });
  return all === 0 ? null : counted / all;
}
