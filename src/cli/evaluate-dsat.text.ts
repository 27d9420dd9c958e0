import type { Interval } from '../dsat/evaluation/bootstrap.js';
import type { Comparison, Difference } from '../dsat/evaluation/compare.js';
import type { DsatReport } from '../dsat/evaluation/report.js';
import type { RubricFigures } from '../dsat/evaluation/rubrics.js';
import type { Slice } from '../dsat/evaluation/slices.js';
import { LABELS } from '../dsat/verdict.js';
import { table } from './terminal.js';

export interface NamedReport extends DsatReport {
  classifier: string;
  against?: string;
}

const three = (value: number | null) => (value === null ? '-' : value.toFixed(3));
const interval = (bounds: Interval | null) => (bounds === null ? '' : ` [${bounds.map(three).join(', ')}]`);

/** The report for people. */
export function renderDsatReport(report: NamedReport): string {
  const { n, conversations, classifier, rubrics, slices, comparison, against } = report;
  return [
    `${classifier} on ${n} turns of ${conversations} conversations; [95 % intervals, bootstrap over conversations]`,
    headline(report),
    confusion(report),
    `dsat by rubric\n${rubricTable(rubrics)}`,
    ...Object.entries(slices).map(([way, of]) => `dsat by ${way}\n${sliceTable(of)}`),
    ...(comparison ? [comparisonText(against ?? 'the other', report, comparison)] : []),
  ].join('\n\n');
}

function headline({ dsat, sat, intervals95, ...report }: NamedReport): string {
  const [d, s] = [intervals95.dsat, intervals95.sat];
  const row = (name: string, of: (label: 'dsat' | 'sat') => [number, Interval]) => [
    name,
    ...(['dsat', 'sat'] as const).map((label) => `${three(of(label)[0])}${interval(of(label)[1])}`),
  ];
  const pick = (key: keyof typeof dsat) => (label: 'dsat' | 'sat') =>
    (label === 'dsat' ? [dsat[key], d[key]] : [sat[key], s[key]]) as [number, Interval];
  const sure = `${three(report.dsatAveragePrecisionHighConfidence)}${interval(intervals95.dsatAveragePrecisionHighConfidence)}`;
  return [
    table(
      ['', 'dsat', 'sat'],
      [
        row('average precision', pick('averagePrecision')),
        ['  labelled with high confidence', sure, ''],
        row('precision', pick('precision')),
        row('recall', pick('recall')),
        row('F1', pick('f1')),
        row('recall at precision 0.85', pick('recallAtPrecision85')),
        row('calibration error', pick('ece')),
      ],
    ),
    `macro F1 ${three(report.macroF1)}${interval(intervals95.macroF1)}`,
    `rubric accuracy ${three(report.rubricAccuracy)}${interval(intervals95.rubricAccuracy)}`,
  ].join('\n');
}

function confusion({ confusion: counts }: NamedReport): string {
  const rows = LABELS.map((label) => [label, ...LABELS.map((decided) => String(counts[label][decided]))]);
  return table(['labelled \\ called', ...LABELS], rows);
}

function rubricTable(rubrics: RubricFigures[]): string {
  return table(
    ['rubric', 'labelled', 'found', 'named', 'called', 'precision'],
    rubrics.map(({ rubric, turns, found, named, called, precision, precision95 }) => [
      rubric,
      String(turns),
      three(found),
      three(named),
      String(called),
      `${three(precision)}${interval(precision95)}`,
    ]),
  );
}

function sliceTable(slices: Slice[]): string {
  return table(
    ['', 'turns', 'dsat', 'precision', 'recall', 'F1', 'average precision'],
    slices.map(({ name, turns, dsat, precision, recall, f1, averagePrecision, averagePrecision95 }) => [
      name,
      String(turns),
      String(dsat),
      three(precision),
      three(recall),
      three(f1),
      `${three(averagePrecision)}${interval(averagePrecision95)}`,
    ]),
  );
}

function comparisonText(against: string, { dsat }: NamedReport, { averagePrecision, f1, ...rest }: Comparison): string {
  const { difference, decisions } = rest;
  const row = (name: string, own: number, other: number, { value, interval95, p }: Difference) => [
    name,
    three(own),
    three(other),
    `${three(value)}${interval(interval95)}`,
    p.toFixed(4),
  ];
  return [
    `against ${against}`,
    table(
      ['dsat', 'this', 'other', 'difference', 'p (paired bootstrap)'],
      [
        row('average precision', dsat.averagePrecision, averagePrecision, difference.averagePrecision),
        row('F1', dsat.f1, f1, difference.f1),
      ],
    ),
    `only this right ${decisions.onlyThisRight}, only the other ${decisions.onlyOtherRight}: p ${decisions.p.toFixed(4)} (McNemar)`,
  ].join('\n');
}
