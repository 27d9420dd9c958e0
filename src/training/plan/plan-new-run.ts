import { quarantineBursts } from '../../anchor/bursts/quarantine-bursts.js';
import { readModelConfig } from '../../model/model-config.js';
import type { PromptTokenizer } from '../prompt/shorten.js';
import type { RunEntity } from '../run.entity.js';
import { longestPair, longestSamples, type RunSettings } from '../settings.js';
import { modelName, resolveFrom, startOf } from '../start-point.js';
import { createRun } from '../store/run-store.js';
import type { Fenced } from '../store/trainer-lease.js';
import type { NothingToDo, Trainer, TrainRequest } from '../train.js';
import { checkPositions } from './check-positions.js';
import { planRun, readActiveAnchors } from './plan-run.js';

/**
 * Creates the run that is asked for, or says why there is none to make.
 * @throws DriftError `not-found`, `usage` for a start that cannot be trained from, or limits over the model's;
 *   `out-of-memory` for a training that cannot fit
 */
export async function planNewRun(
  trainer: Trainer,
  lease: Fenced,
  tokenizer: PromptTokenizer,
  request: TrainRequest,
): Promise<RunEntity | NothingToDo> {
  const { dataSource, progress, baseDir } = trainer;
  const { settings, from, force } = request;
  checkPositions(settings, readModelConfig(baseDir).maxPositions);
  await trainer.engine.checkMemory(baseDir, settings, longestPair(settings), longestSamples(settings));
  const baseModel = modelName(baseDir);
  const startVersion = await resolveFrom(dataSource, from, baseModel);
  await startOf(dataSource, startVersion, baseDir, settings);
  const aside = await quarantine(trainer, lease);
  const active = await readActiveAnchors(dataSource, settings.origin);
  if (active.length === 0) return nothing(aside > 0 ? ALL_ASIDE : NONE_YET[settings.origin]);
  if (!force && !active.some(({ isNew }) => isNew)) {
    return nothing(
      `No anchor is new since the last run (${active.length} are active). Pass --force to train on them again.`,
    );
  }
  progress.line(`plan: ${active.length} active anchors …`);
  const planned = await planRun(dataSource, tokenizer, settings, active);
  const { anchors, dropped } = planned.outcome;
  const reasons = Object.entries(dropped).map(([reason, count]) => `${count} ${reason}`);
  const without = reasons.length > 0 ? `; dropped: ${reasons.join(', ')}` : '';
  if (anchors.train === 0 || anchors.heldOut === 0) {
    return nothing(
      `A run needs a training and a held-out anchor; of ${active.length} active ones ${anchors.train} can train and ${anchors.heldOut} are held out (a fifth of the conversations is)${without}. Wait for more.`,
    );
  }
  const run = { settings, baseModel, startVersion, snapshotHash: planned.snapshotHash };
  const created = await createRun(lease, { ...run, decisions: planned.decisions, planOutcome: planned.outcome });
  progress.line(
    `run ${created.id} from ${startVersion ?? baseModel}: ${anchors.train} training and ${anchors.heldOut} held-out anchors${without}`,
  );
  return created;
}

/** Before anything is chosen: what came in a flood is for a person to look at first. Resolves to how many it were. */
async function quarantine({ dataSource, progress }: Trainer, lease: Fenced): Promise<number> {
  const bursts = await quarantineBursts(dataSource, 'new', (work) => lease.write(work));
  for (const { ids, reason } of bursts)
    progress.line(`quarantined ${ids.length} anchors, ${reason}; see \`driftloop anchors list --state quarantined\``);
  return bursts.reduce((sum, { ids }) => sum + ids.length, 0);
}

const ALL_ASIDE =
  'All anchors that were active are of near-duplicate bursts, and are quarantined: see `driftloop anchors list --state quarantined`.';

const NONE_YET: Record<RunSettings['origin'], string> = {
  observed: 'There is no active anchor yet: no dissatisfied turn has been found.',
  imported: 'There is no active anchor that was imported: see `driftloop anchors import`.',
  any: 'There is no active anchor yet: no dissatisfied turn has been found, and none was imported.',
};

const nothing = (why: string): NothingToDo => ({ outcome: 'nothing-to-do', why });
