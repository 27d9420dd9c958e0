import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whom and what the record of a dead letter names, however much of it is kept. Without an index: an erasure looks for
 * traces in what is kept as well, and so reads the whole table.
 */
export class LetterIds1764000610000 implements MigrationInterface {
  name = 'LetterIds1764000610000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS ids text[]');
    await runner.query(
      `COMMENT ON COLUMN dead_letters.ids IS 'keyed hashes of users and conversations as they are remembered once erased; null for letters of before'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE dead_letters DROP COLUMN IF EXISTS ids');
  }
}
