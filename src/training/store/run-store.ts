import type { DataSource, EntityManager } from 'typeorm';
import { RunEntity, RunStageEntity, type STAGES } from '../run.entity.js';
import type { RunSettings } from '../settings.js';
import type { Fenced } from './trainer-lease.js';

export type StageName = (typeof STAGES)[number];

export interface AnchorDecision {
  anchorId: string;
  /** `train`, `held-out`, `spare`, or why it was dropped. */
  decision: string;
  position: number | null;
  /** How probably its turn is dsat, where that was measured. */
  precision: number | null;
}

export interface NewRun {
  settings: RunSettings;
  baseModel: string;
  startVersion: string | null;
  snapshotHash: string;
  decisions: AnchorDecision[];
  planOutcome: object;
}

/** The run that was interrupted, if one was. */
export async function findUnfinishedRun(dataSource: DataSource): Promise<RunEntity | null> {
  return dataSource.getRepository(RunEntity).findOneBy({ status: 'running' });
}

/** Creates a run with its plan, which is done: a run exists from the moment it is known what it trains on. */
export async function createRun(lease: Fenced, run: NewRun): Promise<RunEntity> {
  return lease.write(async (manager) => {
    const [{ id }] = await manager.query<[{ id: string }]>(
      `INSERT INTO runs (id, preset, status, settings, base_model, start_version, snapshot_hash)
       SELECT 'r' || coalesce(max(substring(id FROM '^r([0-9]+)$')::int), 0) + 1, $1, 'running', $2, $3, $4, $5 FROM runs
       RETURNING id`,
      [run.settings.preset, JSON.stringify(run.settings), run.baseModel, run.startVersion, run.snapshotHash],
    );
    await insertDecisions(manager, id, run.decisions);
    await manager.query(
      `INSERT INTO run_stages (run_id, iteration, stage, status, outcome, ended_at) VALUES ($1, 0, 'plan', 'done', $2, now())`,
      [id, JSON.stringify(run.planOutcome)],
    );
    return manager.getRepository(RunEntity).findOneByOrFail({ id });
  });
}

async function insertDecisions(manager: EntityManager, runId: string, decisions: AnchorDecision[]): Promise<void> {
  await manager.query(
    `INSERT INTO run_anchors (run_id, anchor_id, decision, position, precision)
     SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::int[], $5::float8[])`,
    [
      runId,
      decisions.map(({ anchorId }) => anchorId),
      decisions.map(({ decision }) => decision),
      decisions.map(({ position }) => position),
      decisions.map(({ precision }) => precision),
    ],
  );
}

/** Anchors of one side, in the order of the plan. */
export async function readPlanned(dataSource: DataSource, runId: string, split: 'train' | 'held-out') {
  return dataSource.query<{ anchorId: string; position: number }[]>(
    `SELECT anchor_id AS "anchorId", position FROM run_anchors WHERE run_id = $1 AND decision = $2 ORDER BY position`,
    [runId, split],
  );
}

/** Of the run's training anchors, by id, as the plan knew it. */
export async function readRunPrecisions(dataSource: DataSource, runId: string): Promise<Map<string, number | null>> {
  const rows = await dataSource.query<{ id: string; precision: number | null }[]>(
    `SELECT anchor_id AS id, precision FROM run_anchors WHERE run_id = $1 AND decision = 'train'`,
    [runId],
  );
  return new Map(rows.map(({ id, precision }) => [id, precision]));
}

export async function readStages(dataSource: DataSource, runId: string): Promise<RunStageEntity[]> {
  return dataSource
    .getRepository(RunStageEntity)
    .find({ where: { runId }, order: { startedAt: 'ASC', iteration: 'ASC' } });
}

/** Marks a stage as begun, once more if it was interrupted, and returns its row. */
export async function beginStage(
  lease: Fenced,
  runId: string,
  iteration: number,
  stage: StageName,
): Promise<RunStageEntity> {
  return lease.write(async (manager) => {
    await manager.query(
      `INSERT INTO run_stages AS s (run_id, iteration, stage, status) VALUES ($1, $2, $3, 'running')
       ON CONFLICT (run_id, iteration, stage) DO UPDATE SET status = 'running', attempt = s.attempt + 1
       WHERE s.status NOT IN ('done', 'skipped')`,
      [runId, iteration, stage],
    );
    return manager.getRepository(RunStageEntity).findOneByOrFail({ runId, iteration, stage });
  });
}

/** What a running stage has done so far, for its next attempt; the same transaction writes the work itself. */
export async function saveProgress(manager: EntityManager, row: RunStageEntity, outcome: object): Promise<void> {
  await manager.query(`UPDATE run_stages SET outcome = $4 WHERE run_id = $1 AND iteration = $2 AND stage = $3`, [
    row.runId,
    row.iteration,
    row.stage,
    JSON.stringify(outcome),
  ]);
}

export async function endStage(
  lease: Fenced,
  row: Pick<RunStageEntity, 'runId' | 'iteration' | 'stage'>,
  status: 'done' | 'skipped' | 'failed',
  outcome: object,
): Promise<void> {
  await lease.write((manager) =>
    manager.query(
      `UPDATE run_stages SET status = $4, outcome = $5, ended_at = now() WHERE run_id = $1 AND iteration = $2 AND stage = $3`,
      [row.runId, row.iteration, row.stage, status, JSON.stringify(outcome)],
    ),
  );
}

/** A run that failed has no stage that runs. */
export async function endRun(lease: Fenced, id: string, status: 'done' | 'failed', error?: string): Promise<void> {
  await lease.write(async (manager) => {
    await manager.query(
      `UPDATE run_stages SET status = 'failed', ended_at = now() WHERE run_id = $1 AND status = 'running'`,
      [id],
    );
    const sql = 'UPDATE runs SET status = $2, error = $3, ended_at = now() WHERE id = $1';
    await manager.query(sql, [id, status, error ?? null]);
  });
}
