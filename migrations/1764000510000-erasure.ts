import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What remains of what was erased: keyed hashes that keep it from coming back, receipts, and which policy versions were
 * trained on it. An erased anchor keeps its id, for lineage, and loses its turns.
 */
export class Erasure1764000510000 implements MigrationInterface {
  name = 'Erasure1764000510000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of [
      'erased_training',
      'exports',
      'audit_log',
      'erased_users',
      'erased_conversations',
      'privacy_keys',
    ]) {
      await runner.query(`DROP TABLE IF EXISTS ${table}`);
    }
    await runner.query('DROP INDEX IF EXISTS turns_user_idx');
    await runner.query('ALTER TABLE policy_versions DROP COLUMN IF EXISTS erased_anchors');
  }
}

/** What people said, by table. */
const TEXTS: Record<string, Record<string, string>> = {
  turns: { content: 'text', parts: 'jsonb', metadata: 'jsonb' },
  turn_feedback: { value: 'jsonb' },
  pairs: {
    chosen: 'text',
    rejected: 'text',
    prompt_ids: 'integer[]',
    chosen_ids: 'integer[]',
    rejected_ids: 'integer[]',
    scores: 'jsonb',
  },
  dead_letters: { payload: 'bytea', headers: 'jsonb', record_key: 'bytea', detail: 'text' },
};

/**
 * PostgreSQL keeps values of columns as statistics, which outlive the rows. Of these columns the planner needs none. To
 * give a column the type it has drops those that are there.
 */
const WITHOUT_STATISTICS = Object.entries(TEXTS).map(([table, columns]) => {
  const changes = Object.entries(columns).flatMap(([name, type]) => [
    `ALTER COLUMN ${name} TYPE ${type}`,
    `ALTER COLUMN ${name} SET STATISTICS 0`,
  ]);
  return `ALTER TABLE ${table} ${changes.join(', ')}`;
});

const STATEMENTS = [
  ...WITHOUT_STATISTICS,
  `CREATE TABLE IF NOT EXISTS privacy_keys (
    fingerprint text CONSTRAINT privacy_keys_pkey PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  `COMMENT ON TABLE privacy_keys IS 'a keyed hash of nothing: with another key no id and no turn would be known again'`,
  `CREATE TABLE IF NOT EXISTS erased_conversations (
    id_hash text CONSTRAINT erased_conversations_pkey PRIMARY KEY,
    erased_at timestamptz NOT NULL
  )`,
  `COMMENT ON TABLE erased_conversations IS 'keyed hashes of conversations whose turns are not stored any more'`,
  `CREATE TABLE IF NOT EXISTS erased_users (
    user_id text CONSTRAINT erased_users_pkey PRIMARY KEY,
    erased_at timestamptz NOT NULL
  )`,
  `COMMENT ON TABLE erased_users IS 'what a user said until erased_at is not stored any more; user_id is the keyed hash'`,
  `CREATE INDEX IF NOT EXISTS turns_user_idx ON turns (user_id) WHERE user_id IS NOT NULL`,
  `CREATE TABLE IF NOT EXISTS audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_log_pkey PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    action text NOT NULL,
    subject text NOT NULL,
    facts jsonb NOT NULL
  )`,
  `COMMENT ON COLUMN audit_log.subject IS 'a keyed hash where it is a person or a conversation'`,
  `CREATE TABLE IF NOT EXISTS exports (
    path text CONSTRAINT exports_pkey PRIMARY KEY,
    written_at timestamptz NOT NULL DEFAULT now()
  )`,
  `COMMENT ON TABLE exports IS 'files of anchors that were written, so that erased ones can be taken out of them'`,
  `CREATE TABLE IF NOT EXISTS erased_training (
    run_id text NOT NULL CONSTRAINT erased_training_run_fkey REFERENCES runs (id),
    anchor_id uuid NOT NULL CONSTRAINT erased_training_anchor_fkey REFERENCES anchors (id),
    CONSTRAINT erased_training_pkey PRIMARY KEY (run_id, anchor_id)
  )`,
  `COMMENT ON TABLE erased_training IS 'anchors that a run was trained on and that were erased since'`,
  'ALTER TABLE policy_versions ADD COLUMN IF NOT EXISTS erased_anchors integer NOT NULL DEFAULT 0',
  `COMMENT ON COLUMN policy_versions.erased_anchors IS 'anchors that it, or a version before it, was trained on and that were erased since'`,
  // The row of an erased anchor stays, without its turns.
  'ALTER TABLE anchors DROP CONSTRAINT IF EXISTS anchors_turn_fkey, DROP CONSTRAINT IF EXISTS anchors_rejected_fkey',
];
