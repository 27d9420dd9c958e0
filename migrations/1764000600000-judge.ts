import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a language model that judges uncertain turns needs: its rubrics, its answers, what it used, and a mark on verdicts. */
export class Judge1764000600000 implements MigrationInterface {
  name = 'Judge1764000600000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['judge_answers', 'judge_rubrics', 'judge_spend']) {
      await runner.query(`DROP TABLE IF EXISTS ${table}`);
    }
    await runner.query('ALTER TABLE verdicts DROP COLUMN IF EXISTS judge');
  }
}

const STATEMENTS = [
  `ALTER TABLE verdicts ADD COLUMN IF NOT EXISTS judge text
    CONSTRAINT verdicts_judge_check CHECK (judge IN ('asked', 'cached', 'unavailable', 'over-budget', 'unparseable'))`,
  `COMMENT ON COLUMN verdicts.judge IS 'whether the verdict is a language model''s (asked, cached), or why not; null where none was to be asked'`,
  `CREATE TABLE IF NOT EXISTS judge_answers (
    judge_version text NOT NULL,
    content_hash text NOT NULL,
    turn_hash text NOT NULL,
    items jsonb NOT NULL,
    answered_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT judge_answers_pkey PRIMARY KEY (content_hash, judge_version)
  )`,
  `COMMENT ON COLUMN judge_answers.content_hash IS 'keyed, of the stored texts of the exchange'`,
  `COMMENT ON COLUMN judge_answers.turn_hash IS 'keyed, of the user''s turn alone: by it an erasure finds the answer'`,
  'CREATE INDEX IF NOT EXISTS judge_answers_turn_idx ON judge_answers (turn_hash)',
  `COMMENT ON COLUMN judge_answers.items IS 'items of the rubric that the exchange shows, with their impact'`,
  `CREATE TABLE IF NOT EXISTS judge_rubrics (
    version text CONSTRAINT judge_rubrics_pkey PRIMARY KEY,
    model text NOT NULL,
    prompts text NOT NULL,
    items jsonb NOT NULL,
    calibration jsonb NOT NULL,
    decision jsonb NOT NULL,
    learnt_from jsonb NOT NULL,
    figures jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  `COMMENT ON COLUMN judge_rubrics.prompts IS 'versions of the prompts that it was learnt and measured with'`,
  `COMMENT ON COLUMN judge_rubrics.figures IS 'on labels that it was not learnt from; null where there were too few'`,
  `CREATE TABLE IF NOT EXISTS judge_spend (
    day date CONSTRAINT judge_spend_pkey PRIMARY KEY,
    tokens bigint NOT NULL,
    requests bigint NOT NULL DEFAULT 0
  )`,
  `COMMENT ON TABLE judge_spend IS 'tokens that language models used on a day (UTC), with what is put aside for requests on their way'`,
];
