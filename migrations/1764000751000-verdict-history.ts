import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What other versions of the classifier said than the one whose verdict counts: of turns that were classified again the
 * verdict before, and of turns that a run had used the one that was not taken up.
 */
export class VerdictHistory1764000751000 implements MigrationInterface {
  name = 'VerdictHistory1764000751000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX IF EXISTS pairs_warm_start_idx');
    await runner.query('ALTER TABLE anchors DROP COLUMN IF EXISTS disputed_by');
    await runner.query('DROP TABLE IF EXISTS verdict_history');
  }
}

const STATEMENTS = [
  `CREATE TABLE IF NOT EXISTS verdict_history (
    conversation_id text NOT NULL,
    turn integer NOT NULL,
    classifier_version text NOT NULL
      CONSTRAINT verdict_history_classifier_version_fkey REFERENCES classifier_versions (version),
    standing text NOT NULL CONSTRAINT verdict_history_standing_check CHECK (standing IN ('replaced', 'withheld')),
    verdict jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT verdict_history_pkey PRIMARY KEY (conversation_id, turn, classifier_version),
    CONSTRAINT verdict_history_verdict_fkey FOREIGN KEY (conversation_id, turn)
      REFERENCES verdicts (conversation_id, turn) ON DELETE CASCADE
  )`,
  `COMMENT ON COLUMN verdict_history.standing IS 'replaced by the verdict that counts now; or withheld, as a run had used the turn when this version read it'`,
  `COMMENT ON COLUMN verdict_history.verdict IS 'label, probabilities, rubric, whether it abstained'`,
  `ALTER TABLE anchors ADD COLUMN IF NOT EXISTS disputed_by text
    CONSTRAINT anchors_disputed_by_fkey REFERENCES classifier_versions (version)`,
  `COMMENT ON COLUMN anchors.disputed_by IS 'version of the classifier by which the turn is no anchor; null where the last one that read it agrees'`,
  // Which turns a warm start used, without reading all pairs of all runs.
  `CREATE INDEX IF NOT EXISTS pairs_warm_start_idx ON pairs (anchor_id) WHERE split = 'warm-start'`,
];
