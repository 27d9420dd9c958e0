import type { RunEntity } from './run.entity.js';
import { RunFiles } from './run-files.js';
import { runSettingsSchema } from './settings.js';
import { modelName } from './start-point.js';
import { endRun, findUnfinishedRun, readStages } from './store/run-store.js';
import type { Fenced } from './store/trainer-lease.js';
import type { Trainer } from './train.js';

/** The run that was interrupted, unless it cannot go on: then it is marked failed, and a new one may start. */
export async function resumeRun(trainer: Trainer, lease: Fenced): Promise<RunEntity | null> {
  const { dataSource, progress } = trainer;
  const run = await findUnfinishedRun(dataSource);
  if (run === null) return null;
  const obstacle = await obstacleTo(trainer, run);
  if (obstacle === null) {
    progress.line(`run ${run.id} goes on where it was interrupted, with its own settings`);
    return run;
  }
  progress.line(`run ${run.id} cannot go on: ${obstacle}`);
  await endRun(lease, run.id, 'failed', obstacle);
  return null;
}

async function obstacleTo({ dataSource, config, baseDir }: Trainer, run: RunEntity): Promise<string | null> {
  if (run.baseModel !== modelName(baseDir))
    return `it trains ${run.baseModel}, and the base model is now ${modelName(baseDir)}`;
  if (!runSettingsSchema.safeParse(run.settings).success) return 'its settings are of another release';
  const stages = await readStages(dataSource, run.id);
  if (stages.some(({ stage, status }) => stage === 'gate' && status === 'done')) return null;
  const changed = stages.filter(
    ({ stage, status }) => status === 'done' && (stage === 'train' || stage === 'warm-start'),
  );
  const latest = Math.max(...changed.map(({ iteration }) => iteration));
  const files = new RunFiles(config.stateDir, run.id);
  return changed.length > 0 && !files.hasCheckpoint(latest)
    ? `its checkpoint ${files.checkpoint(latest)} is gone`
    : null;
}
