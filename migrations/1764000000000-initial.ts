import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The first schema. Rows of the stream are keyed by (conversation_id, turn), so that whoever writes them again writes
 * the same row. Receipt times (`received_at`, `decided_at`, `created_at`) are the only columns that a replay may change.
 */
export class Initial1764000000000 implements MigrationInterface {
  name = 'Initial1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES.toReversed()) await runner.query(`DROP TABLE IF EXISTS ${table}`);
  }
}

const TABLES = [
  'turns',
  'turn_feedback',
  'classifier_versions',
  'verdicts',
  'anchors',
  'seed_pairs',
  'consumer_offsets',
  'dead_letters',
  'policy_versions',
  'runs',
  'run_stages',
  'pairs',
  'training_steps',
  'leases',
];

const STATEMENTS = [
  `CREATE TABLE IF NOT EXISTS turns (
    conversation_id text NOT NULL,
    turn integer NOT NULL CONSTRAINT turns_turn_check CHECK (turn >= 0),
    role text NOT NULL CONSTRAINT turns_role_check CHECK (role IN ('user', 'assistant', 'system', 'tool')),
    content text NOT NULL,
    parts jsonb,
    occurred_at timestamptz NOT NULL,
    tenant text,
    user_id text,
    policy_version text,
    model text,
    metadata jsonb,
    sha256 text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT turns_pkey PRIMARY KEY (conversation_id, turn)
  )`,
  `COMMENT ON COLUMN turns.content IS 'text as the classifier reads it; parts keeps what was sent when that was not plain text'`,
  `COMMENT ON COLUMN turns.sha256 IS 'of role and content as sent: the same turn again is a duplicate, another hash a conflict'`,
  // No foreign key to turns: feedback may arrive before the turn it speaks of.
  `CREATE TABLE IF NOT EXISTS turn_feedback (
    conversation_id text NOT NULL,
    turn integer NOT NULL,
    kind text NOT NULL CONSTRAINT turn_feedback_kind_check CHECK (kind IN ('thumbs', 'rating', 'regenerate', 'copy', 'edit')),
    value jsonb,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT turn_feedback_pkey PRIMARY KEY (conversation_id, turn, kind, occurred_at)
  )`,
  `CREATE TABLE IF NOT EXISTS classifier_versions (
    version text CONSTRAINT classifier_versions_pkey PRIMARY KEY,
    card jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE TABLE IF NOT EXISTS verdicts (
    conversation_id text NOT NULL,
    turn integer NOT NULL,
    label text NOT NULL CONSTRAINT verdicts_label_check CHECK (label IN ('dsat', 'sat', 'neutral')),
    p_dsat double precision NOT NULL,
    p_sat double precision NOT NULL,
    p_neutral double precision NOT NULL,
    rubric text,
    classifier_version text NOT NULL CONSTRAINT verdicts_classifier_version_fkey REFERENCES classifier_versions (version),
    status text NOT NULL CONSTRAINT verdicts_status_check CHECK (status IN ('provisional', 'final')),
    decided_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT verdicts_pkey PRIMARY KEY (conversation_id, turn),
    CONSTRAINT verdicts_turn_fkey FOREIGN KEY (conversation_id, turn) REFERENCES turns (conversation_id, turn)
  )`,
  `CREATE INDEX IF NOT EXISTS verdicts_provisional_idx ON verdicts (decided_at) WHERE status = 'provisional'`,
  `CREATE TABLE IF NOT EXISTS anchors (
    id uuid CONSTRAINT anchors_pkey PRIMARY KEY,
    conversation_id text NOT NULL,
    turn integer NOT NULL,
    state text NOT NULL DEFAULT 'active' CONSTRAINT anchors_state_check CHECK (state IN ('active', 'quarantined', 'retired', 'erased')),
    rubric text,
    confidence double precision NOT NULL,
    classifier_version text NOT NULL CONSTRAINT anchors_classifier_version_fkey REFERENCES classifier_versions (version),
    policy_version text,
    model text,
    tenant text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT anchors_turn_key UNIQUE (conversation_id, turn),
    CONSTRAINT anchors_turn_fkey FOREIGN KEY (conversation_id, turn) REFERENCES turns (conversation_id, turn)
  )`,
  `COMMENT ON TABLE anchors IS 'one DSAT case: feedback f is (conversation_id, turn), rejected y- turn - 1, prompt x the turns before that'`,
  `CREATE INDEX IF NOT EXISTS anchors_state_idx ON anchors (state, created_at)`,
  `CREATE TABLE IF NOT EXISTS seed_pairs (
    id uuid CONSTRAINT seed_pairs_pkey PRIMARY KEY,
    conversation_id text NOT NULL,
    turn integer NOT NULL,
    chosen_turn integer NOT NULL,
    sat_turn integer NOT NULL,
    similarity double precision NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT seed_pairs_turn_key UNIQUE (conversation_id, turn),
    CONSTRAINT seed_pairs_anchor_fkey FOREIGN KEY (conversation_id, turn) REFERENCES anchors (conversation_id, turn)
  )`,
  `COMMENT ON TABLE seed_pairs IS 'a DSAT turn whose next reply (chosen_turn) satisfied (sat_turn); x and y- are those of the anchor of the same turn'`,
  `CREATE TABLE IF NOT EXISTS consumer_offsets (
    consumer_group text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT consumer_offsets_pkey PRIMARY KEY (consumer_group, topic, partition)
  )`,
  `CREATE TABLE IF NOT EXISTS dead_letters (
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    item integer NOT NULL DEFAULT 0,
    reason text NOT NULL,
    detail text NOT NULL,
    sha256 text NOT NULL,
    record_key bytea,
    headers jsonb NOT NULL,
    payload bytea NOT NULL,
    payload_bytes integer NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT dead_letters_pkey PRIMARY KEY (topic, partition, record_offset, item)
  )`,
  `COMMENT ON COLUMN dead_letters.payload IS 'the first 64 KiB of the record''s value; sha256 and payload_bytes are of the whole'`,
  `COMMENT ON COLUMN dead_letters.item IS 'which turn of the record: a record may hold a whole conversation'`,
  `CREATE TABLE IF NOT EXISTS runs (
    id text CONSTRAINT runs_pkey PRIMARY KEY,
    preset text NOT NULL,
    status text NOT NULL CONSTRAINT runs_status_check CHECK (status IN ('running', 'done', 'failed')),
    settings jsonb NOT NULL,
    base_model text NOT NULL,
    start_version text,
    snapshot_hash text,
    error text,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
  )`,
  `CREATE UNIQUE INDEX IF NOT EXISTS runs_one_running_idx ON runs (status) WHERE status = 'running'`,
  `CREATE TABLE IF NOT EXISTS run_stages (
    run_id text NOT NULL CONSTRAINT run_stages_run_fkey REFERENCES runs (id),
    iteration integer NOT NULL,
    stage text NOT NULL CONSTRAINT run_stages_stage_check CHECK (stage IN ('plan', 'warm-start', 'sample', 'pair', 'train', 'evaluate', 'gate', 'publish')),
    status text NOT NULL CONSTRAINT run_stages_status_check CHECK (status IN ('running', 'done', 'skipped', 'failed')),
    attempt integer NOT NULL DEFAULT 1,
    outcome jsonb,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    CONSTRAINT run_stages_pkey PRIMARY KEY (run_id, iteration, stage)
  )`,
  `COMMENT ON COLUMN run_stages.iteration IS '0 for what precedes the first iteration, K + 1 for what follows the last'`,
  `CREATE TABLE IF NOT EXISTS pairs (
    run_id text NOT NULL CONSTRAINT pairs_run_fkey REFERENCES runs (id),
    iteration integer NOT NULL,
    split text NOT NULL CONSTRAINT pairs_split_check CHECK (split IN ('warm-start', 'train', 'held-out')),
    position integer NOT NULL,
    anchor_id uuid NOT NULL CONSTRAINT pairs_anchor_fkey REFERENCES anchors (id),
    prompt_ids integer[] NOT NULL,
    chosen_ids integer[] NOT NULL,
    rejected_ids integer[] NOT NULL,
    chosen text NOT NULL,
    rejected text NOT NULL,
    sampling jsonb,
    scores jsonb,
    CONSTRAINT pairs_pkey PRIMARY KEY (run_id, iteration, split, anchor_id),
    CONSTRAINT pairs_position_key UNIQUE (run_id, iteration, split, position)
  )`,
  `COMMENT ON COLUMN pairs.iteration IS '0 for warm-start and held-out pairs'`,
  `CREATE TABLE IF NOT EXISTS training_steps (
    run_id text NOT NULL CONSTRAINT training_steps_run_fkey REFERENCES runs (id),
    iteration integer NOT NULL,
    step integer NOT NULL,
    loss double precision NOT NULL,
    chosen_reward double precision NOT NULL,
    rejected_reward double precision NOT NULL,
    margin double precision NOT NULL,
    accuracy double precision NOT NULL,
    chosen_logps double precision NOT NULL,
    rejected_logps double precision NOT NULL,
    grad_norm double precision NOT NULL,
    learning_rate double precision NOT NULL,
    monitors jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT training_steps_pkey PRIMARY KEY (run_id, iteration, step)
  )`,
  `COMMENT ON COLUMN training_steps.iteration IS '0 for the warm start'`,
  `CREATE TABLE IF NOT EXISTS policy_versions (
    version text CONSTRAINT policy_versions_pkey PRIMARY KEY,
    number integer NOT NULL CONSTRAINT policy_versions_number_key UNIQUE,
    parent text CONSTRAINT policy_versions_parent_fkey REFERENCES policy_versions (version),
    base_model text NOT NULL,
    kind text NOT NULL CONSTRAINT policy_versions_kind_check CHECK (kind IN ('full', 'adapter')),
    status text NOT NULL CONSTRAINT policy_versions_status_check CHECK (status IN ('candidate', 'published', 'rejected')),
    uri text NOT NULL,
    files jsonb NOT NULL,
    run_id text CONSTRAINT policy_versions_run_fkey REFERENCES runs (id) CONSTRAINT policy_versions_run_key UNIQUE,
    snapshot_hash text NOT NULL,
    metrics jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    announced_at timestamptz
  )`,
  `COMMENT ON COLUMN policy_versions.announced_at IS 'when policy.published reached Kafka; null means it is still to be sent'`,
  `CREATE TABLE IF NOT EXISTS leases (
    name text CONSTRAINT leases_pkey PRIMARY KEY,
    holder text NOT NULL,
    token bigint NOT NULL,
    expires_at timestamptz NOT NULL
  )`,
];
