import { Column, Entity, PrimaryColumn } from 'typeorm';

export const RUN_STATUSES = ['running', 'done', 'failed'] as const;
export const STAGES = ['plan', 'warm-start', 'sample', 'pair', 'train', 'evaluate', 'gate', 'publish'] as const;
export const STAGE_STATUSES = ['running', 'done', 'skipped', 'failed'] as const;

/** One start of the trainer. */
@Entity('runs')
export class RunEntity {
  @PrimaryColumn('text')
  id: string;

  @Column('text')
  preset: string;

  @Column('text')
  status: (typeof RUN_STATUSES)[number];

  @Column('jsonb')
  settings: Record<string, unknown>;

  @Column('text', { name: 'base_model' })
  baseModel: string;

  @Column('text', { name: 'start_version', nullable: true })
  startVersion: string | null;

  @Column('text', { name: 'snapshot_hash', nullable: true })
  snapshotHash: string | null;

  @Column('text', { nullable: true })
  error: string | null;

  @Column('timestamptz', { name: 'started_at' })
  startedAt: Date;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt: Date | null;
}

/** `iteration` is 0 for what precedes the first iteration, K + 1 for what follows the last. */
@Entity('run_stages')
export class RunStageEntity {
  @PrimaryColumn('text', { name: 'run_id' })
  runId: string;

  @PrimaryColumn('integer')
  iteration: number;

  @PrimaryColumn('text')
  stage: (typeof STAGES)[number];

  @Column('text')
  status: (typeof STAGE_STATUSES)[number];

  @Column('integer')
  attempt: number;

  @Column('jsonb', { nullable: true })
  outcome: Record<string, unknown> | null;

  @Column('timestamptz', { name: 'started_at' })
  startedAt: Date;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt: Date | null;
}

/** One optimizer update: the batch's means before the update. `iteration` is 0 for the warm start. */
@Entity('training_steps')
export class TrainingStepEntity {
  @PrimaryColumn('text', { name: 'run_id' })
  runId: string;

  @PrimaryColumn('integer')
  iteration: number;

  @PrimaryColumn('integer')
  step: number;

  @Column('double precision')
  loss: number;

  @Column('double precision', { name: 'chosen_reward' })
  chosenReward: number;

  @Column('double precision', { name: 'rejected_reward' })
  rejectedReward: number;

  @Column('double precision')
  margin: number;

  @Column('double precision')
  accuracy: number;

  @Column('double precision', { name: 'chosen_logps' })
  chosenLogps: number;

  @Column('double precision', { name: 'rejected_logps' })
  rejectedLogps: number;

  @Column('double precision', { name: 'grad_norm' })
  gradNorm: number;

  @Column('double precision', { name: 'learning_rate' })
  learningRate: number;

  @Column('jsonb')
  monitors: Record<string, unknown>;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
