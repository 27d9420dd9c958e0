import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What it takes to produce a dead letter's record again, and whether that was done. */
export class ReplayedLetters1764000410000 implements MigrationInterface {
  name = 'ReplayedLetters1764000410000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE dead_letters DROP COLUMN IF EXISTS record_time, DROP COLUMN IF EXISTS cut, DROP COLUMN IF EXISTS replayed_at',
    );
  }
}

const STATEMENTS = [
  `ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS record_time timestamptz`,
  `ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS cut boolean NOT NULL DEFAULT false`,
  `ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS replayed_at timestamptz`,
  `COMMENT ON COLUMN dead_letters.record_time IS 'the time that the record has in Kafka'`,
  `COMMENT ON COLUMN dead_letters.cut IS 'key or headers were too large to be kept whole, or something was no text and withheld'`,
  `COMMENT ON COLUMN dead_letters.replayed_at IS 'when Kafka had the record again; null means it waits'`,
];
