import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeSeedPairs } from '../../src/anchor/seed-pair-writer.js';
import { createDataSource } from '../../src/database/data-source.js';
import type { Label } from '../../src/dsat/verdict.js';
import type { JudgedTurn } from '../../src/dsat/verdict-rows.js';
import { createTestDatabase } from '../stack.js';

/** Each with a dsat turn 2 and a sat turn 4. */
const CONVERSATIONS = 2_000;
const BATCH = 10;

const database = await createTestDatabase();
const dataSource = createDataSource(database.url, 1);

/** Tables that PostgreSQL has no statistics of, as while a new database is filled. */
beforeAll(async () => {
  await dataSource.initialize();
  for (const table of ['turns', 'verdicts', 'anchors'])
    await dataSource.query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
  await dataSource.query(`INSERT INTO classifier_versions (version, card) VALUES ('c1', '{}')`);
  await dataSource.query(
    `INSERT INTO turns (conversation_id, turn, role, content, occurred_at, sha256)
     SELECT 'c' || c, turn, CASE WHEN turn % 2 = 0 THEN 'user' ELSE 'assistant' END, md5(turn::text), now(), 'sha'
     FROM generate_series(1, $1::integer) AS c, generate_series(0, 4) AS turn`,
    [CONVERSATIONS],
  );
  await dataSource.query(
    `INSERT INTO verdicts (conversation_id, turn, label, p_dsat, p_sat, p_neutral, classifier_version, status)
     SELECT 'c' || c, turn, CASE turn WHEN 2 THEN 'dsat' ELSE 'sat' END, 0.3, 0.3, 0.4, 'c1', 'final'
     FROM generate_series(1, $1::integer) AS c, generate_series(2, 4, 2) AS turn`,
    [CONVERSATIONS],
  );
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

/** Verdicts that this transaction has read. */
async function verdictsRead(manager: EntityManager): Promise<number> {
  const [row] = await manager.query<{ read: number }[]>(
    `SELECT (seq_tup_read + idx_tup_fetch)::integer AS read FROM pg_stat_xact_user_tables WHERE relname = 'verdicts'`,
  );
  return row!.read;
}

it.each<[Label, number]>([
  ['dsat', 2],
  ['sat', 4],
])('reads few verdicts to find the other side of a %s turn, however many there are', async (label, turn) => {
  const verdict = { label, status: 'final', abstained: false } as JudgedTurn['verdict'];
  const judged = Array.from({ length: BATCH }, (_, at) => ({
    conversationId: `c${at + 1}`,
    turn,
    promptTurn: turn - 2,
    verdict,
  }));
  const read = await dataSource.transaction(async (manager) => {
    await writeSeedPairs(manager, judged);
    return verdictsRead(manager);
  });
  expect(read).toBeLessThanOrEqual(BATCH);
});

it('has no query compiled', async () => {
  expect(await dataSource.query('SHOW jit')).toEqual([{ jit: 'off' }]);
});
