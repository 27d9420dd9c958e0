import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far a run trusted each anchor: kept with the run, so that one that is resumed weighs its pairs the same. */
export class AnchorPrecision1764000731000 implements MigrationInterface {
  name = 'AnchorPrecision1764000731000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE run_anchors ADD COLUMN IF NOT EXISTS precision double precision');
    await runner.query(
      `COMMENT ON COLUMN run_anchors.precision IS 'share of anchors of its rubric that are dsat, as it was known at the plan; null where it was not'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE run_anchors DROP COLUMN IF EXISTS precision');
  }
}
