/** One judged example: how sure the classifier was of the class, and whether it is of the class. */
export interface Scored {
  score: number;
  positive: boolean;
}

/** How often each example counts, in their order: a bootstrap sample has some twice and some not at all. */
export type Weights = ArrayLike<number>;

export interface Operating {
  threshold: number;
  precision: number;
  recall: number;
  f1: number;
}

/** Examples from the highest score down: sorted once, they can be measured under many weights. */
export class Ranking {
  private readonly order: number[];

  constructor(private readonly scored: Scored[]) {
    this.order = scored.map((_, at) => at).sort((a, b) => scored[b]!.score - scored[a]!.score);
  }

  /** Every threshold that tells examples apart, from the highest, with what it would give. Equal scores stay together. */
  points(weights?: Weights): Operating[] {
    const weightOf = (at: number) => weights?.[at] ?? 1;
    const positives = this.scored.reduce((sum, { positive }, at) => (positive ? sum + weightOf(at) : sum), 0);
    const points: Operating[] = [];
    let [hits, seen] = [0, 0];
    this.order.forEach((at, place) => {
      const { score, positive } = this.scored[at]!;
      seen += weightOf(at);
      if (positive) hits += weightOf(at);
      const next = this.order[place + 1];
      if (seen === 0 || (next !== undefined && this.scored[next]!.score === score)) return;
      const precision = hits / seen;
      const recall = positives === 0 ? 0 : hits / positives;
      points.push({ threshold: score, precision, recall, f1: harmonic(precision, recall) });
    });
    return points;
  }

  /** Area under the precision-recall steps (scikit-learn's average_precision_score). */
  averagePrecision(weights?: Weights): number {
    let before = 0;
    return this.points(weights).reduce((area, { precision, recall }) => {
      const step = (recall - before) * precision;
      before = recall;
      return area + step;
    }, 0);
  }

  /** The highest recall at any threshold whose precision is at least `least`; 0 where there is none. */
  recallAtPrecision(least: number, weights?: Weights): number {
    const reached = (best: number, { precision, recall }: Operating) =>
      precision >= least ? Math.max(best, recall) : best;
    return this.points(weights).reduce(reached, 0);
  }
}

export function harmonic(precision: number, recall: number): number {
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
}

export function averagePrecision(scored: Scored[]): number {
  return new Ranking(scored).averagePrecision();
}

export function bestF1(scored: Scored[]): Operating {
  return new Ranking(scored).points().reduce((best, point) => (point.f1 > best.f1 ? point : best));
}

/** Examples whose score lies in one of the bins of equal width. */
export interface CalibrationBin {
  from: number;
  to: number;
  /** Examples, or their weight. */
  count: number;
  /** Mean score; null where the bin is empty. */
  expected: number | null;
  /** Share that is of the class; null where the bin is empty. */
  observed: number | null;
}

export const CALIBRATION_BINS = 15;

export function calibrationBins(scored: Scored[], weights?: Weights, bins = CALIBRATION_BINS): CalibrationBin[] {
  const sums = Array.from({ length: bins }, () => ({ count: 0, score: 0, positive: 0 }));
  scored.forEach(({ score, positive }, at) => {
    const weight = weights?.[at] ?? 1;
    const bin = sums[Math.min(bins - 1, Math.floor(score * bins))]!;
    bin.count += weight;
    bin.score += weight * score;
    if (positive) bin.positive += weight;
  });
  return sums.map(({ count, score, positive }, at) => ({
    from: at / bins,
    to: (at + 1) / bins,
    count,
    expected: count === 0 ? null : score / count,
    observed: count === 0 ? null : positive / count,
  }));
}

/** Expected calibration error: how far scores are from shares, over the bins, weighted by how many examples they hold. */
export function calibrationError(scored: Scored[], weights?: Weights): number {
  const bins = calibrationBins(scored, weights);
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  return bins.reduce((error, { count, expected, observed }) => {
    return count === 0 ? error : error + (count / total) * Math.abs(expected! - observed!);
  }, 0);
}
