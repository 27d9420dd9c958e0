import { type DataSource, QueryFailedError } from 'typeorm';
import type { Config } from '../config/config.js';
import { DriftError } from '../drift-error.js';
import { createReplyJudge } from '../dsat/reply-judge/create-reply-judge.js';
import type { KafkaServers } from '../kafka/kafka-servers.js';
import { Tokenizer } from '../model/tokenizer.js';
import { announceVersions } from '../policy/announce-versions.js';
import type { TrainingEngine } from './engine/training-engine.js';
import { planNewRun } from './plan/plan-new-run.js';
import { PolicySlot } from './policy-slot.js';
import type { Progress } from './progress.js';
import { resumeRun } from './resume-run.js';
import { RunEntity } from './run.entity.js';
import type { RunContext } from './run-context.js';
import { RunFiles, removeOtherRuns } from './run-files.js';
import { runStages } from './run-stages.js';
import { type RunSettings, runSettingsSchema } from './settings.js';
import { startOf } from './start-point.js';
import { endRun } from './store/run-store.js';
import { TrainerLease } from './store/trainer-lease.js';
import { summarizeRun, type TrainSummary } from './summary.js';

/** What training works with. */
export interface Trainer {
  dataSource: DataSource;
  kafka: KafkaServers;
  config: Pick<Config, 'stateDir' | 'policyDir' | 'topics' | 'judge'>;
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

export interface NothingToDo {
  outcome: 'nothing-to-do';
  why: string;
}

export type TrainResult = TrainSummary | NothingToDo;

/**
 * One run from plan to published version, or the rest of the one that was interrupted.
 * @throws DriftError `conflict` while another trainer is at work, `interrupted` when asked to stop, `training-diverged`
 */
export async function train(trainer: Trainer, request: TrainRequest): Promise<TrainResult> {
  // Refused before a run begins that could not go on.
  createReplyJudge(trainer.dataSource, request.settings.replyJudge, trainer.config.judge);
  const lease = await TrainerLease.acquire(trainer.dataSource);
  try {
    const late = await announceVersions(trainer.dataSource, lease, trainer.kafka, trainer.config.topics);
    if (late.length > 0) trainer.progress.line(`announced ${late.join(', ')}, which an earlier run had published`);
    const tokenizer = loadTokenizer(trainer.baseDir);
    const run = (await resumeRun(trainer, lease)) ?? (await planNewRun(trainer, lease, tokenizer, request));
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
    replyJudge: createReplyJudge(dataSource, settings.replyJudge, config.judge),
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
