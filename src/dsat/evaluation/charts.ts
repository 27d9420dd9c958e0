import type { DsatCurves, DsatReport } from './report.js';
import { type Point, renderUnitChart } from './unit-chart.js';

const [BLUE, RED, GREY] = ['#0b6bcb', '#b3261e', '#777'];

/** The charts of P(dsat), by file name. */
export function dsatCharts(curves: DsatCurves, report: DsatReport): Record<string, string> {
  return {
    'precision-recall.svg': precisionRecall(curves, report),
    'reliability.svg': reliability(curves, report),
  };
}

function precisionRecall({ precisionRecall: points }: DsatCurves, { dsat, n, confusion }: DsatReport): string {
  const share = (confusion.dsat.dsat + confusion.dsat.sat + confusion.dsat.neutral) / n;
  const steps = points.flatMap(({ precision, recall }, at): Point[] => [
    { x: points[at - 1]?.recall ?? 0, y: precision },
    { x: recall, y: precision },
  ]);
  return renderUnitChart({
    title: `Precision and recall of dsat, ${n} turns`,
    x: 'recall',
    y: 'precision',
    series: [
      {
        name: `thresholds; average precision ${dsat.averagePrecision.toFixed(3)}`,
        colour: BLUE,
        as: 'line',
        points: steps,
      },
      {
        name: `shipped decision: precision ${dsat.precision.toFixed(2)}, recall ${dsat.recall.toFixed(2)}`,
        colour: RED,
        as: 'dots',
        points: [{ x: dsat.recall, y: dsat.precision }],
      },
      { name: `chance: ${share.toFixed(2)} are dsat`, colour: GREY, as: 'dashes', points: level(share) },
    ],
  });
}

function reliability({ reliability: bins }: DsatCurves, { dsat, n }: DsatReport): string {
  const points = bins.flatMap(({ from, to, count, expected, observed }): Point[] =>
    count === 0
      ? []
      : [
          {
            x: expected!,
            y: observed!,
            radius: 3 + 14 * Math.sqrt(count / n),
            note: `P(dsat) ${from.toFixed(2)} to ${to.toFixed(2)}: ${count} turns`,
          },
        ],
  );
  return renderUnitChart({
    title: `Reliability of P(dsat), ${n} turns`,
    x: 'P(dsat), mean of the bin',
    y: 'share labelled dsat',
    series: [
      {
        name: 'as probable as said',
        colour: GREY,
        as: 'dashes',
        points: [
          { x: 0, y: 0 },
          { x: 1, y: 1 },
        ],
      },
      { name: `15 bins, calibration error ${dsat.ece.toFixed(3)}`, colour: BLUE, as: 'line', points },
      { name: 'larger with more turns', colour: BLUE, as: 'dots', points },
    ],
  });
}

const level = (y: number): Point[] => [
  { x: 0, y },
  { x: 1, y },
];
