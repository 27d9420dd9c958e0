import { DriftError } from '../../drift-error.js';
import { announceVersions } from '../../policy/announce-versions.js';
import { publishVersion } from '../../policy/publish-version.js';
import type { EvaluateOutcome, GateOutcome, PublishOutcome } from '../outcomes.js';
import { policyAfter, type RunContext } from '../run-context.js';
import type { Trainer } from '../train.js';

/** A run that ends well publishes; figures that are no numbers are no good end. */
export function gateStage({ run }: RunContext, last: EvaluateOutcome): GateOutcome {
  const figures = [last.heldOut.marginMean, last.rescored!.marginMean, last.train.lossMean];
  if (figures.every(Number.isFinite)) return { decision: 'publish', why: 'the run ended well' };
  throw new DriftError(
    'training-diverged',
    `Run ${run.id} ended with margins that are not numbers: it publishes nothing.`,
  );
}

/** The run's one version: directory, row, event. */
export async function publishStage(
  context: RunContext,
  trainer: Trainer,
  last: EvaluateOutcome,
): Promise<PublishOutcome> {
  const { run, settings, dataSource, lease, files } = context;
  const { heldOut, rescored } = last;
  const policy = await publishVersion(dataSource, lease, {
    policyDir: trainer.config.policyDir,
    checkpoint: files.checkpoint(settings.iterations),
    baseModel: run.baseModel,
    kind: policyAfter(context, settings.iterations).lora ? 'adapter' : 'full',
    parent: run.startVersion,
    run,
    snapshotHash: run.snapshotHash!,
    settings,
    metrics: { iterations: settings.iterations, heldOut, rescored },
  });
  await announceVersions(dataSource, lease, trainer.kafka, trainer.config.topics);
  return { version: policy.version, uri: policy.uri };
}
