import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What users did about a reply beside answering it, as it speaks for or against the verdict of their next turn. */
export class VerdictEvidence1764000741000 implements MigrationInterface {
  name = 'VerdictEvidence1764000741000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE verdicts ADD COLUMN IF NOT EXISTS evidence jsonb');
    await runner.query(
      `COMMENT ON COLUMN verdicts.evidence IS 'log-odds of dsat that feedback on the reply adds, in all and by kind; null without any. p_dsat is without it'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE verdicts DROP COLUMN IF EXISTS evidence');
  }
}
