import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Beside the next offset, the last record before it: a topic that was deleted and made again has another one there. Dead
 * letters of such a topic may have the offsets of old ones, so their key also tells what was put aside, and why.
 */
export class LastRecord1764000310000 implements MigrationInterface {
  name = 'LastRecord1764000310000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  /** The key stays: the old one may not hold any more. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE consumer_offsets DROP COLUMN IF EXISTS last_offset, DROP COLUMN IF EXISTS last_sha256',
    );
  }
}

const STATEMENTS = [
  'ALTER TABLE consumer_offsets ADD COLUMN IF NOT EXISTS last_offset bigint',
  'ALTER TABLE consumer_offsets ADD COLUMN IF NOT EXISTS last_sha256 text',
  `COMMENT ON COLUMN consumer_offsets.last_offset IS 'of the last record before next_offset; null where none was read since the partition was begun'`,
  `COMMENT ON COLUMN consumer_offsets.last_sha256 IS 'of that record''s time, key and value'`,
  'ALTER TABLE dead_letters DROP CONSTRAINT IF EXISTS dead_letters_pkey',
  `ALTER TABLE dead_letters ADD CONSTRAINT dead_letters_pkey
     PRIMARY KEY (topic, partition, record_offset, item, reason, sha256)`,
];
