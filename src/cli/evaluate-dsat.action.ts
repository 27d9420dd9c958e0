import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DriftError } from '../drift-error.js';
import { loadCascade, loadFirstStage } from '../dsat/cascade.js';
import { dsatCharts } from '../dsat/evaluation/charts.js';
import { type EvaluatedTurn, evaluated, type LabelledTurn } from '../dsat/evaluation/labelled-turn.js';
import { predict } from '../dsat/evaluation/predict.js';
import { curvesOf, reportOn } from '../dsat/evaluation/report.js';
import type { NamingClassifier } from '../dsat/verdict.js';
import { Progress } from '../training/progress.js';
import { renderDsatReport } from './evaluate-dsat.text.js';
import { readLabelRecords } from './records/label-records.js';
import { predictionLines, readPredictions } from './records/prediction-records.js';
import { refuseExisting, writeWhole } from './whole-directory.js';

export interface EvaluateDsatOptions {
  labels: string;
  stratum?: string;
  by?: string[];
  against?: string;
  predictions?: string;
  out?: string;
  json?: boolean;
}

export async function evaluateDsat(options: EvaluateDsatOptions): Promise<void> {
  const { labels, stratum, by = [], against, predictions, out, json } = options;
  if (out !== undefined) refuseExisting(out);
  const progress = new Progress((line) => console.error(line));
  const turns = ofStratum(labels, readLabelRecords(labels), stratum);
  const judge = (classifier: NamingClassifier) => classified(classifier, turns, progress);
  const { name, judged } = predictions === undefined ? await judge(loadCascade()) : fromFile(predictions, turns);
  const other = against === undefined ? undefined : await otherOf(against, turns, judge);
  progress.line(`measuring ${turns.length} turns`);
  const report = {
    ...reportOn(judged, by, other?.judged),
    classifier: name,
    against: other?.name,
    stratum: stratum ?? null,
  };
  if (out !== undefined) {
    const curves = curvesOf(judged);
    await writeWhole(out, (dir) => {
      writeFileSync(join(dir, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
      writeFileSync(join(dir, 'curves.json'), `${JSON.stringify(curves)}\n`);
      writeFileSync(join(dir, 'predictions.jsonl'), predictionLines(judged));
      for (const [file, svg] of Object.entries(dsatCharts(curves, report))) writeFileSync(join(dir, file), svg);
    });
  }
  console.log(renderDsatReport(report));
  if (json) console.log(JSON.stringify(report));
}

export interface Judged {
  name: string;
  judged: EvaluatedTurn[];
}

/** @throws DriftError `usage` where no turn is left */
function ofStratum(file: string, turns: LabelledTurn[], stratum?: string): LabelledTurn[] {
  const left = stratum === undefined ? turns : turns.filter((turn) => turn.stratum === stratum);
  if (left.length > 0) return left;
  const known = [...new Set(turns.map((turn) => turn.stratum ?? 'none'))].join(', ');
  throw new DriftError(
    'usage',
    turns.length === 0 ? `${file} holds no labels.` : `${file} has no turn of stratum ${stratum}, only of: ${known}.`,
  );
}

async function classified(classifier: NamingClassifier, turns: LabelledTurn[], progress: Progress): Promise<Judged> {
  const onDone = (done: number) => progress.tick(() => `classified ${done} of ${turns.length} turns`);
  progress.line(`classifying ${turns.length} turns with ${classifier.version}`);
  return { name: classifier.version, judged: evaluated(turns, await predict(classifier, turns, onDone)) };
}

function fromFile(file: string, turns: LabelledTurn[]): Judged {
  return { name: file, judged: evaluated(turns, readPredictions(file, turns)) };
}

async function otherOf(
  against: string,
  turns: LabelledTurn[],
  judge: (classifier: NamingClassifier) => Promise<Judged>,
): Promise<Judged> {
  if (against === 'first-stage') return { ...(await judge(loadFirstStage())), name: against };
  const isDirectory = statSync(against, { throwIfNoEntry: false })?.isDirectory();
  return isDirectory ? judge(loadCascade(against)) : fromFile(against, turns);
}
