import type { DataSource } from 'typeorm';
import { DriftError } from '../drift-error.js';
import { RunEntity, RunStageEntity, TrainingStepEntity } from './run.entity.js';

export interface RunPage {
  /** Id of the run that the last page ended with. */
  after?: string;
  limit?: number;
}

export interface RunDetail extends RunEntity {
  stages: RunStageEntity[];
  steps: TrainingStepEntity[];
}

/** Runs, the latest first. */
export async function listRuns(dataSource: DataSource, { after, limit }: RunPage = {}): Promise<RunEntity[]> {
  const query = dataSource.getRepository(RunEntity).createQueryBuilder('run');
  if (after) query.where('(run.started_at, run.id) < (SELECT started_at, id FROM runs WHERE id = :after)', { after });
  return query.orderBy({ 'run.startedAt': 'DESC', 'run.id': 'DESC' }).limit(limit).getMany();
}

export function isKnown(dataSource: DataSource, id: string): Promise<boolean> {
  return dataSource.getRepository(RunEntity).existsBy({ id });
}

/**
 * One run with its stages and steps, in the order in which they happened.
 * @throws DriftError `not-found`
 */
export async function readRun(dataSource: DataSource, id: string): Promise<RunDetail> {
  const run = await dataSource.getRepository(RunEntity).findOneBy({ id });
  if (!run) throw new DriftError('not-found', `There is no run ${id}.`);
  const [stages, steps] = await Promise.all([
    dataSource
      .getRepository(RunStageEntity)
      .find({ where: { runId: id }, order: { startedAt: 'ASC', iteration: 'ASC' } }),
    dataSource
      .getRepository(TrainingStepEntity)
      .find({ where: { runId: id }, order: { iteration: 'ASC', step: 'ASC' } }),
  ]);
  return { ...run, stages, steps };
}
