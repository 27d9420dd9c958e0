import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people say of turns, who is reading which one, and verdicts that follow them instead of the classifier. */
export class Reviews1764000721000 implements MigrationInterface {
  name = 'Reviews1764000721000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX IF EXISTS verdicts_uncertainty_idx');
    for (const table of ['review_leases', 'reviews']) await runner.query(`DROP TABLE IF EXISTS ${table}`);
    await runner.query('ALTER TABLE verdicts DROP COLUMN IF EXISTS reviewed, DROP COLUMN IF EXISTS classified');
  }
}

const STATEMENTS = [
  'ALTER TABLE verdicts ADD COLUMN IF NOT EXISTS reviewed boolean NOT NULL DEFAULT false',
  'ALTER TABLE verdicts ADD COLUMN IF NOT EXISTS classified jsonb',
  `COMMENT ON COLUMN verdicts.reviewed IS 'label, rubric and abstained are those of its reviews'`,
  `COMMENT ON COLUMN verdicts.classified IS 'label, rubric and abstained as the classifier has them, where others took their place'`,
  `CREATE INDEX IF NOT EXISTS verdicts_uncertainty_idx ON verdicts ((greatest(p_dsat, p_sat, p_neutral)))
     WHERE status = 'final'`,
  `CREATE TABLE IF NOT EXISTS reviews (
    conversation_id text NOT NULL,
    turn integer NOT NULL,
    reviewer text NOT NULL,
    label text NOT NULL CONSTRAINT reviews_label_check CHECK (label IN ('dsat', 'sat', 'neutral')),
    rubric text CONSTRAINT reviews_rubric_check CHECK ((label = 'dsat') = (rubric IS NOT NULL)),
    confidence text NOT NULL CONSTRAINT reviews_confidence_check CHECK (confidence IN ('high', 'low')),
    stratum text NOT NULL CONSTRAINT reviews_stratum_check CHECK (stratum IN ('uncertain', 'random')),
    classifier_label text NOT NULL,
    classifier_version text NOT NULL,
    reviewed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT reviews_pkey PRIMARY KEY (conversation_id, turn, reviewer),
    CONSTRAINT reviews_verdict_fkey FOREIGN KEY (conversation_id, turn)
      REFERENCES verdicts (conversation_id, turn) ON DELETE CASCADE
  )`,
  `COMMENT ON COLUMN reviews.stratum IS 'how the turn came to be reviewed: for it was uncertain, or drawn at random'`,
  `COMMENT ON COLUMN reviews.classifier_label IS 'of the classifier at the time of the review, which did not show it'`,
  `CREATE TABLE IF NOT EXISTS review_leases (
    conversation_id text NOT NULL,
    turn integer NOT NULL,
    reviewer text NOT NULL,
    token uuid NOT NULL,
    stratum text NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT review_leases_pkey PRIMARY KEY (conversation_id, turn, reviewer),
    CONSTRAINT review_leases_verdict_fkey FOREIGN KEY (conversation_id, turn)
      REFERENCES verdicts (conversation_id, turn) ON DELETE CASCADE
  )`,
  `COMMENT ON TABLE review_leases IS 'one that expired still holds until somebody else takes the turn'`,
];
