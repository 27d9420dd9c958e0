import type { RunEntity, RunStageEntity, TrainingStepEntity } from '../training/run.entity.js';
import { listRuns, type RunDetail, readRun } from '../training/run-read.js';
import { duration, fields, minute, printJson, table } from './terminal.js';
import { withData } from './with-data.js';

export type ListOptions = { limit: number; json?: boolean };
export type ShowOptions = { json?: boolean };

export async function list({ limit, json }: ListOptions): Promise<void> {
  const runs = await withData((dataSource) => listRuns(dataSource, { limit }));
  if (json) return printJson(runs);
  if (runs.length === 0) return console.error('no runs');
  console.log(table(['id', 'status', 'preset', 'from', 'started (UTC)', 'took'], runs.map(runRow)));
}

function runRow(run: RunEntity): string[] {
  return [run.id, run.status, run.preset, run.startVersion ?? 'base', minute(run.startedAt), took(run)];
}

function took({ startedAt, endedAt }: { startedAt: Date; endedAt: Date | null }): string {
  return endedAt ? duration(startedAt, endedAt) : '';
}

export async function show(id: string, { json }: ShowOptions): Promise<void> {
  const run = await withData((dataSource) => readRun(dataSource, id));
  if (json) return printJson([run]);
  console.log(facts(run));
  if (run.stages.length > 0) console.log(`\n${stages(run)}`);
  if (run.steps.length > 0) console.log(`\n${iterations(run)}`);
}

function facts(run: RunDetail): string {
  return fields({
    id: run.id,
    status: run.status,
    preset: run.preset,
    'base model': run.baseModel,
    from: run.startVersion ?? 'base',
    snapshot: run.snapshotHash,
    started: `${minute(run.startedAt)} UTC`,
    took: took(run) || null,
    error: run.error,
  });
}

function stages({ stages }: RunDetail): string {
  const row = (stage: RunStageEntity) => [
    String(stage.iteration),
    stage.stage,
    stage.status,
    String(stage.attempt),
    took(stage),
  ];
  return table(['iteration', 'stage', 'status', 'attempt', 'took'], stages.map(row));
}

/** First and last step of each iteration: the curve in between is in `--json`. */
function iterations({ steps }: RunDetail): string {
  const rows = [...new Set(steps.map(({ iteration }) => iteration))].flatMap((iteration) => {
    const own = steps.filter((step) => step.iteration === iteration);
    return [own[0], own.length > 1 ? own.at(-1) : undefined].filter((step) => step !== undefined).map(stepRow);
  });
  return table(['iteration', 'step', 'loss', 'margin', 'chosen', 'rejected', 'accuracy'], rows);
}

function stepRow(step: TrainingStepEntity): string[] {
  const { loss, margin, chosenReward, rejectedReward, accuracy } = step;
  const figures = [loss, margin, chosenReward, rejectedReward].map((value) => value.toFixed(4));
  return [String(step.iteration), String(step.step), ...figures, accuracy.toFixed(2)];
}
