import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The reason of a state says what was found, or what the person said who decided. */
export class AnchorDecisions1764000530000 implements MigrationInterface {
  name = 'AnchorDecisions1764000530000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE anchors DROP CONSTRAINT IF EXISTS anchors_state_reason_check');
    await runner.query(
      `COMMENT ON COLUMN anchors.state_reason IS 'null while nothing changed the state; an active one with a reason was released by a person'`,
    );
  }

  /** The constraint stays away: what was said since would break it. */
  async down(): Promise<void> {}
}
