import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a run's plan decided about each anchor it considered. An anchor is new when the last done run has no row for it,
 * and a policy version was trained on the anchors that its run decided to `train` on.
 */
export class RunAnchors1764000060000 implements MigrationInterface {
  name = 'RunAnchors1764000060000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE IF NOT EXISTS run_anchors (
      run_id text NOT NULL CONSTRAINT run_anchors_run_fkey REFERENCES runs (id),
      anchor_id uuid NOT NULL CONSTRAINT run_anchors_anchor_fkey REFERENCES anchors (id),
      decision text NOT NULL,
      position integer,
      CONSTRAINT run_anchors_pkey PRIMARY KEY (run_id, anchor_id)
    )`);
    await runner.query(
      `COMMENT ON COLUMN run_anchors.decision IS 'train, held-out, spare (not needed), or the reason why it was dropped'`,
    );
    await runner.query(
      `COMMENT ON COLUMN run_anchors.position IS 'order among the run''s training or held-out anchors, from 0'`,
    );
    await runner.query('CREATE INDEX IF NOT EXISTS run_anchors_anchor_idx ON run_anchors (anchor_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS run_anchors');
  }
}
