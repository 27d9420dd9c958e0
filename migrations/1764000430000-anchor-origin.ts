import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Anchors that were imported from preference data: no user said anything of the reply, and no classifier judged it. What
 * an anchor must have is the reply that was rejected, so that is what it refers to now.
 */
export class AnchorOrigin1764000430000 implements MigrationInterface {
  name = 'AnchorOrigin1764000430000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  /** What imported anchors lack stays optional: they may still be there. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE anchors DROP COLUMN IF EXISTS rejected_turn, DROP COLUMN IF EXISTS origin, DROP COLUMN IF EXISTS source',
    );
  }
}

const STATEMENTS = [
  `ALTER TABLE anchors ADD COLUMN IF NOT EXISTS origin text NOT NULL DEFAULT 'observed'
     CONSTRAINT anchors_origin_check CHECK (origin IN ('observed', 'imported'))`,
  'ALTER TABLE anchors ADD COLUMN IF NOT EXISTS source text',
  'ALTER TABLE anchors ADD COLUMN IF NOT EXISTS rejected_turn integer GENERATED ALWAYS AS (turn - 1) STORED',
  'ALTER TABLE anchors ALTER COLUMN confidence DROP NOT NULL, ALTER COLUMN classifier_version DROP NOT NULL',
  'ALTER TABLE anchors DROP CONSTRAINT IF EXISTS anchors_rejected_fkey',
  `ALTER TABLE anchors ADD CONSTRAINT anchors_rejected_fkey
     FOREIGN KEY (conversation_id, rejected_turn) REFERENCES turns (conversation_id, turn)`,
  'ALTER TABLE anchors DROP CONSTRAINT IF EXISTS anchors_turn_fkey',
  `COMMENT ON COLUMN anchors.origin IS 'observed: a user was dissatisfied; imported: preference data, without feedback, confidence and classifier'`,
  `COMMENT ON COLUMN anchors.source IS 'which preference data an imported one is from'`,
];
