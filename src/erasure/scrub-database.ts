import type { DataSource } from 'typeorm';

/** Tables that held what was erased, or answers that name it. Of ids the planner keeps statistics, which hold values: these are made anew too. */
const TABLES = [
  'turns',
  'turn_feedback',
  'verdicts',
  'reviews',
  'review_leases',
  'verdict_history',
  'anchors',
  'seed_pairs',
  'pairs',
  'dead_letters',
  'ingest_requests',
  'judge_answers',
  'audit_log',
];

/**
 * Writes the tables anew, so that deleted rows are in none of the database's files, and ends the segment of the log that
 * names them. Each table is locked meanwhile; whoever stores waits.
 * @returns what the account may not do, in words
 */
export async function scrubDatabase(dataSource: DataSource): Promise<string[]> {
  for (const table of TABLES) await dataSource.query(`VACUUM (FULL, ANALYZE) ${table}`);
  const undone: string[] = [];
  for (const [what, sql] of LAST) {
    await dataSource.query(sql).catch((error: Error) => undone.push(`${what}: ${error.message}`));
  }
  return undone;
}

const LAST = [
  ['write pg_statistic anew', 'VACUUM FULL pg_catalog.pg_statistic'],
  ['end the log segment', 'SELECT pg_switch_wal()'],
  ['remove files and log segments that are not needed', 'CHECKPOINT'],
  // A segment is only removed by the checkpoint after the one that made it superfluous.
  ['end the next log segment', 'SELECT pg_switch_wal()'],
  ['remove them all', 'CHECKPOINT'],
] as const;
