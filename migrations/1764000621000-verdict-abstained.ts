import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Verdicts from which nothing follows, as the classifier was not sure. Those from before were all taken as they are. */
export class VerdictAbstained1764000621000 implements MigrationInterface {
  name = 'VerdictAbstained1764000621000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE verdicts ADD COLUMN IF NOT EXISTS abstained boolean NOT NULL DEFAULT false');
    await runner.query(
      `COMMENT ON COLUMN verdicts.abstained IS 'not sure whether the turn is dsat: no anchor and no seed pair is made of it'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE verdicts DROP COLUMN IF EXISTS abstained');
  }
}
