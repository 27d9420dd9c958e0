import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Why an anchor is in its state: a burst put it aside, or a person released it. */
export class AnchorStateReason1764000520000 implements MigrationInterface {
  name = 'AnchorStateReason1764000520000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE anchors ADD COLUMN IF NOT EXISTS state_reason text
      CONSTRAINT anchors_state_reason_check CHECK (state_reason IN ('burst', 'released'))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE anchors DROP COLUMN IF EXISTS state_reason');
  }
}
