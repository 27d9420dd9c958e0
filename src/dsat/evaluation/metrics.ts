/** One judged example: how sure the classifier was of the class, and whether it is of the class. */
export interface Scored {
  score: number;
  positive: boolean;
}

export interface Operating {
  threshold: number;
  precision: number;
  recall: number;
  f1: number;
}

/** Every threshold that tells examples apart, from the highest, with what it would give. Equal scores stay together. */
export function operatingPoints(scored: Scored[]): Operating[] {
  const sorted = scored.toSorted((a, b) => b.score - a.score);
  const positives = scored.filter(({ positive }) => positive).length;
  const points: Operating[] = [];
  let hits = 0;
  sorted.forEach(({ score, positive }, index) => {
    if (positive) hits++;
    if (sorted[index + 1]?.score === score) return;
    const precision = hits / (index + 1);
    const recall = positives === 0 ? 0 : hits / positives;
    points.push({ threshold: score, precision, recall, f1: harmonic(precision, recall) });
  });
  return points;
}

export function harmonic(precision: number, recall: number): number {
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
}

/** Area under the precision-recall steps (scikit-learn's average_precision_score). */
export function averagePrecision(scored: Scored[]): number {
  let before = 0;
  return operatingPoints(scored).reduce((area, { precision, recall }) => {
    const step = (recall - before) * precision;
    before = recall;
    return area + step;
  }, 0);
}

export function bestF1(scored: Scored[]): Operating {
  return operatingPoints(scored).reduce((best, point) => (point.f1 > best.f1 ? point : best));
}

/** The highest recall at any threshold whose precision is at least `least`; 0 where there is none. */
export function recallAtPrecision(scored: Scored[], least: number): number {
  return Math.max(0, ...operatingPoints(scored).flatMap((point) => (point.precision >= least ? [point.recall] : [])));
}

/** Expected calibration error over bins of equal width, weighted by how many examples they hold. */
export function calibrationError(scored: Scored[], bins = 15): number {
  const sums = Array.from({ length: bins }, () => ({ count: 0, score: 0, positive: 0 }));
  for (const { score, positive } of scored) {
    const bin = sums[Math.min(bins - 1, Math.floor(score * bins))]!;
    bin.count++;
    bin.score += score;
    if (positive) bin.positive++;
  }
  return sums.reduce((error, { score, positive }) => error + Math.abs(score - positive) / scored.length, 0);
}
