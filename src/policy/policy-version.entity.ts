import { Column, Entity, PrimaryColumn } from 'typeorm';

export const POLICY_KINDS = ['full', 'adapter'] as const;
export const POLICY_STATUSES = ['candidate', 'published', 'rejected'] as const;

/** One file of a policy version's directory. */
export interface PolicyFile {
  path: string;
  bytes: number;
  sha256: string;
}

/** The row is what makes a policy version exist. */
@Entity('policy_versions')
export class PolicyVersionEntity {
  @PrimaryColumn('text')
  version: string;

  /** Counts up from 1. */
  @Column('integer')
  number: number;

  @Column('text', { nullable: true })
  parent: string | null;

  @Column('text', { name: 'base_model' })
  baseModel: string;

  @Column('text')
  kind: (typeof POLICY_KINDS)[number];

  @Column('text')
  status: (typeof POLICY_STATUSES)[number];

  @Column('text')
  uri: string;

  @Column('jsonb')
  files: PolicyFile[];

  @Column('text', { name: 'run_id', nullable: true })
  runId: string | null;

  @Column('text', { name: 'snapshot_hash' })
  snapshotHash: string;

  @Column('jsonb')
  metrics: Record<string, unknown>;

  /** Anchors that it, or a version before it, was trained on and that were erased since. */
  @Column('integer', { name: 'erased_anchors', default: 0 })
  erasedAnchors: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'announced_at', nullable: true })
  announcedAt: Date | null;
}
