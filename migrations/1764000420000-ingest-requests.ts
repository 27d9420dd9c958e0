import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What requests with an Idempotency-Key were answered, so that the same request again is answered the same. */
export class IngestRequests1764000420000 implements MigrationInterface {
  name = 'IngestRequests1764000420000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE IF NOT EXISTS ingest_requests (
      client text NOT NULL,
      key text NOT NULL,
      sha256 text NOT NULL,
      answer jsonb NOT NULL,
      answered_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT ingest_requests_pkey PRIMARY KEY (client, key)
    )`);
    await runner.query(`COMMENT ON COLUMN ingest_requests.client IS 'sha256 of the API key'`);
    await runner.query(`COMMENT ON COLUMN ingest_requests.sha256 IS 'of the request''s body, keyed with the API key'`);
    await runner.query('CREATE INDEX IF NOT EXISTS ingest_requests_answered_idx ON ingest_requests (answered_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS ingest_requests');
  }
}
