import { type DataSource, QueryFailedError } from 'typeorm';
import type { Config } from '../config/config.js';
import { DriftError } from '../drift-error.js';
import { Tokenizer } from '../model/tokenizer.js';
import { announceVersions } from '../policy/announce-versions.js';
import type { TrainingEngine } from './engine/training-engine.js';
import { planRun, readActiveAnchors } from './plan/plan-run.js';
import { PolicySlot } from './policy-slot.js';
import type { Progress } from './progress.js';
import { RunEntity } from './run.entity.js';
import type { RunContext } from './run-context.js';
import { RunFiles, removeOtherRuns } from './run-files.js';
import { runStages } from './run-stages.js';
import { type RunSettings, runSettingsSchema } from './settings.js';
import { modelName, resolveFrom, startOf } from './start-point.js';
import { createRun, endRun, findUnfinishedRun, readStages } from './store/run-store.js';
import { TrainerLease } from './store/trainer-lease.js';
import { summarizeRun, type TrainSummary } from './summary.js';

/** What training works with. */
export interface Trainer {
  dataSource: DataSource;
  brokers: string[];
  config: Pick<Config, 'stateDir' | 'policyDir' | 'topics'>;
  /** Directory of the base model. */
  baseDir: string;
  engine: TrainingEngine;
  progress: Progress;
  /** Asks the run to stop at the next safe place; the next start goes on from there. */
  signal: AbortSignal;
}

export interface TrainRequest {
  settings: RunSettings;
  /** `latest`, `base` or a version. */
  from: string;
  /** Trains although no anchor is new. */
  force: boolean;
}

export type TrainResult = TrainSummary | { outcome: 'nothing-to-do'; why: string };

/**
 * One run from plan to published version, or the rest of the one that was interrupted.
 * @throws DriftError `conflict` while another trainer is at work, `interrupted` when asked to stop, `training-diverged`
 */
export async function train(trainer: Trainer, request: TrainRequest): Promise<TrainResult> {
  const lease = await TrainerLease.acquire(trainer.dataSource);
  try {
    const late = await announceVersions(trainer.dataSource, lease, trainer.brokers, trainer.config.topics);
    if (late.length > 0) trainer.progress.line(`announced ${late.join(', ')}, which an earlier run had published`);
    const tokenizer = loadTokenizer(trainer.baseDir);
    const run = (await resume(trainer, lease)) ?? (await plan(trainer, lease, tokenizer, request));
    if (!(run instanceof RunEntity)) return run;
    await execute(trainer, lease, tokenizer, run);
    return await summarizeRun(trainer.dataSource, run.id);
  } finally {
    await lease.release();
  }
}

/** @throws DriftError `model-invalid` when the model has no chat template, before any work starts */
function loadTokenizer(dir: string): Tokenizer {
  const tokenizer = Tokenizer.load(dir);
  tokenizer.renderChat([{ role: 'user', content: 'Hello' }]);
  return tokenizer;
}

/** The run that was interrupted, unless it cannot go on: then it is marked failed, and a new one may start. */
async function resume(trainer: Trainer, lease: TrainerLease): Promise<RunEntity | null> {
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

async function plan(trainer: Trainer, lease: TrainerLease, tokenizer: Tokenizer, request: TrainRequest) {
  const { dataSource, progress, baseDir } = trainer;
  const { settings, from, force } = request;
  const baseModel = modelName(baseDir);
  const startVersion = await resolveFrom(dataSource, from, baseModel);
  await startOf(dataSource, startVersion, baseDir, settings);
  const active = await readActiveAnchors(dataSource);
  if (active.length === 0) return nothing('There is no active anchor yet: no dissatisfied turn has been found.');
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

const nothing = (why: string) => ({ outcome: 'nothing-to-do', why }) as const;

async function execute(trainer: Trainer, lease: TrainerLease, tokenizer: Tokenizer, run: RunEntity): Promise<void> {
  const { dataSource, baseDir, engine, config, progress } = trainer;
  const settings = runSettingsSchema.parse(run.settings);
  const context: RunContext = {
    run,
    settings,
    dataSource,
    lease,
    tokenizer,
    slot: new PolicySlot(engine, settings.dtype),
    files: new RunFiles(config.stateDir, run.id),
    start: await startOf(dataSource, run.startVersion, baseDir, settings),
    base: { dir: baseDir },
    warmStarted: false,
    progress,
    signal: AbortSignal.any([trainer.signal, lease.signal]),
  };
  await removeOtherRuns(config.stateDir, run.id);
  try {
    await runStages(context, trainer);
    await endRun(lease, run.id, 'done');
    await context.files.removeAll();
  } catch (error) {
    if (!isWorthResuming(error)) await fail(context, error);
    throw error;
  } finally {
    context.slot.release();
  }
}

/** What may pass by itself leaves the run as it is, to be resumed; anything else would fail again. */
function isWorthResuming(error: unknown): boolean {
  if (error instanceof DriftError) return error.retriable;
  return error instanceof QueryFailedError && !WRONG_STATEMENT.test(error.driverError?.code ?? '');
}

/** SQLSTATE classes that the same statement would meet again: data, constraint, syntax. */
const WRONG_STATEMENT = /^(22|23|42)/;

async function fail({ lease, run, files, progress }: RunContext, error: unknown): Promise<void> {
  try {
    await endRun(lease, run.id, 'failed', error instanceof Error ? error.message : String(error));
    await files.removeAll();
  } catch (cause) {
    progress.line(`run ${run.id} stays open, because its failure could not be recorded: ${(cause as Error).message}`);
  }
}
