import { createPrivacy } from '../privacy/privacy.js';
import { requireOwnKey } from '../privacy/require-own-key.js';
import { labelLines } from '../review/export-reviews.js';
import type { Agreement } from '../review/kappa.js';
import { readAgreement } from '../review/read-agreement.js';
import { EXIT } from './program.js';
import { table } from './terminal.js';
import { withData } from './with-data.js';
import { writeExport } from './write-export.js';

export type AgreementOptions = { json?: boolean };

export async function exportReviews(file: string): Promise<void> {
  const written = await withData(async (dataSource, config) => {
    const { pseudonyms } = createPrivacy(config);
    await requireOwnKey(dataSource, pseudonyms);
    return writeExport(dataSource, labelLines(dataSource), file, pseudonyms);
  });
  console.error(`${written} labels in ${file}`);
  if (written === 0) process.exitCode = EXIT.nothingToDo;
}

export async function agreement({ json }: AgreementOptions): Promise<void> {
  const found = await withData(readAgreement);
  if (json) return console.log(JSON.stringify(found));
  console.log(`${found.reviews} reviews of ${found.turns} turns, ${found.shared} of them by two or more`);
  const rows = [
    ...found.reviewers.map(({ reviewers, ...figures }) => [reviewers.join(' and '), '', ...cells(figures)]),
    ...found.classifier.map(({ classifierVersion, stratum, ...figures }) => [
      `reviewers and ${classifierVersion}`,
      stratum,
      ...cells(figures),
    ]),
  ];
  if (rows.length > 0) console.log(table(['who', 'stratum', 'turns', 'agreement', 'kappa'], rows));
}

const cells = ({ turns, agreement, kappa }: Agreement) => [
  String(turns),
  agreement.toFixed(3),
  kappa?.toFixed(3) ?? 'not known',
];
