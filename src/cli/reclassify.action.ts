import type { DataSource } from 'typeorm';
import type { Config } from '../config/config.js';
import { DriftError } from '../drift-error.js';
import { Cascade, classifierVersion, loadFirstStage, loadSecondStage } from '../dsat/cascade.js';
import { registerClassifier } from '../dsat/classifier-version.js';
import { withJudge } from '../dsat/judge/create-judge.js';
import { type Reclassified, reclassify } from '../dsat/reclassify/reclassify.js';
import type { Classifier } from '../dsat/verdict.js';
import { Progress } from '../training/progress.js';
import { EXIT } from './program.js';
import { fields } from './terminal.js';
import { withData } from './with-data.js';

export interface ReclassifyOptions {
  version: string;
  since?: Date;
  dryRun?: boolean;
  json?: boolean;
}

export async function reclassifyHistory({
  version: asked,
  since,
  dryRun = false,
  json,
}: ReclassifyOptions): Promise<void> {
  const version = present(asked);
  const progress = new Progress((line) => console.error(line));
  const done = await withData(async (dataSource, config) => {
    const classifier = await presentClassifier(dataSource, config);
    const onProgress = (count: number, all: number) => progress.tick(() => `${count} of ${all} verdicts`);
    const { feedbackEvidence } = config;
    const tools = { dataSource, classifier, feedbackEvidence, onProgress };
    return reclassify(tools, { version, since: since ?? null, dryRun });
  });
  console.log(render(version, done, dryRun));
  if (json) console.log(JSON.stringify({ version, dryRun, ...done }));
  if (done.verdicts + done.withheld === 0) process.exitCode = EXIT.nothingToDo;
}

/** @throws DriftError `usage` for a version whose weights are not here */
function present(asked: string): string {
  const version = classifierVersion();
  if (asked === 'current' || asked === version) return version;
  throw new DriftError(
    'usage',
    `The weights of ${asked} are not here: this build has ${version}. Use the build that has them.`,
  );
}

/** The cascade as the service has it, with the judge where one is configured. */
async function presentClassifier(dataSource: DataSource, config: Config): Promise<Classifier> {
  await registerClassifier(dataSource);
  return new Cascade(loadFirstStage(), await withJudge(dataSource, config, loadSecondStage()));
}

function render(
  version: string,
  { verdicts, withheld, labels, anchors, seedPairs }: Reclassified,
  dryRun: boolean,
): string {
  return fields({
    version,
    [dryRun ? 'would change' : 'changed']: `${verdicts} verdicts`,
    ...Object.fromEntries(Object.entries(labels).map(([change, count]) => [`  ${change}`, count])),
    'kept, as a run used them': withheld,
    anchors: `${anchors.made} made, ${anchors.restored} restored, ${anchors.retired} retired, ${anchors.disputed} marked as disputed`,
    'seed pairs': `${seedPairs.made} made, ${seedPairs.removed} removed`,
  });
}
