import { type Intervals, intervalsOf, resamples } from './bootstrap.js';
import { type Comparison, compare } from './compare.js';
import { type Figures, figuresOf, type LabelFigures, measurer } from './figures.js';
import { scoredFor } from './judged.js';
import type { EvaluatedTurn } from './labelled-turn.js';
import { type CalibrationBin, calibrationBins, type Operating, Ranking, type Weights } from './metrics.js';
import { type RubricFigures, rubricAccuracy, rubricFigures } from './rubrics.js';
import { type Slice, slicesOf } from './slices.js';

/** What can be estimated of all turns together. */
interface Headline {
  dsat: LabelFigures;
  sat: LabelFigures;
  /** Average precision of dsat on the turns that were labelled with high confidence. */
  dsatAveragePrecisionHighConfidence: number;
  macroF1: number;
  /** Of the turns labelled dsat; null where none has a reason. */
  rubricAccuracy: number | null;
}

/** How right a classifier is on labelled turns. */
export interface DsatReport extends Headline {
  n: number;
  conversations: number;
  intervals95: Intervals<Headline>;
  confusion: Figures['confusion'];
  rubrics: RubricFigures[];
  slices: Record<string, Slice[]>;
  /** Only where there is another classifier to compare with. */
  comparison?: Comparison;
}

/** @param fields of the metadata, by which turns are told apart too */
export function reportOn(turns: EvaluatedTurn[], fields: string[], others?: EvaluatedTurn[]): DsatReport {
  const { confusion } = figuresOf(turns);
  const figures = measurer(turns);
  const measure = (weights?: Weights): Headline => ({
    ...figures(weights),
    rubricAccuracy: rubricAccuracy(turns, weights),
  });
  return {
    ...measure(),
    n: turns.length,
    conversations: new Set(turns.map(({ conversation }) => conversation)).size,
    intervals95: intervalsOf(resamples(turns).map(measure)),
    confusion,
    rubrics: rubricFigures(turns),
    slices: slicesOf(turns, fields),
    ...(others ? { comparison: compare(turns, others) } : {}),
  };
}

/** What the charts show of P(dsat). */
export interface DsatCurves {
  precisionRecall: Operating[];
  reliability: CalibrationBin[];
}

export function curvesOf(turns: EvaluatedTurn[]): DsatCurves {
  const scored = scoredFor('dsat', turns);
  return { precisionRecall: new Ranking(scored).points(), reliability: calibrationBins(scored) };
}
