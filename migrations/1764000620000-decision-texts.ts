import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The audit log has what people wrote about anchors: an erasure finds it by the anchor, and the planner keeps no values of
 * it. To give a column the type it has drops the statistics that are there.
 */
export class DecisionTexts1764000620000 implements MigrationInterface {
  name = 'DecisionTexts1764000620000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX IF NOT EXISTS audit_log_subject_idx ON audit_log (subject)');
    await runner.query(WITHOUT_STATISTICS('audit_log', 'facts', 'jsonb'));
    await runner.query(WITHOUT_STATISTICS('anchors', 'state_reason', 'text'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX IF EXISTS audit_log_subject_idx');
  }
}

const WITHOUT_STATISTICS = (table: string, column: string, type: string) =>
  `ALTER TABLE ${table} ALTER COLUMN ${column} TYPE ${type}, ALTER COLUMN ${column} SET STATISTICS 0`;
