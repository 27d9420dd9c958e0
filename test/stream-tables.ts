import type { DataSource } from 'typeorm';

/** Keys of the tables that the stream fills, and the columns that hold times of receipt. */
const TABLES = {
  turns: { key: 'conversation_id, turn', times: 'received_at' },
  turn_feedback: { key: 'conversation_id, turn, kind, occurred_at', times: 'received_at' },
  verdicts: { key: 'conversation_id, turn', times: 'decided_at' },
  anchors: { key: 'conversation_id, turn', times: 'created_at' },
  seed_pairs: { key: 'conversation_id, turn', times: 'created_at' },
  dead_letters: { key: 'topic, partition, record_offset, item, reason, sha256', times: 'received_at' },
  consumer_offsets: { key: 'consumer_group, topic, partition', times: 'updated_at' },
};
export type StreamTable = keyof typeof TABLES;

/** All rows of a table in the order of their keys, without times of receipt. */
export async function tableRows(dataSource: DataSource, table: StreamTable): Promise<Record<string, unknown>[]> {
  const { key, times } = TABLES[table];
  const rows = await dataSource.query<Record<string, unknown>[]>(`SELECT * FROM ${table} ORDER BY ${key}`);
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => column !== times)));
}

/** What the stream made and what must not depend on how it was delivered: rows, and dead letters as a set. */
export async function streamTables(dataSource: DataSource) {
  const letters = await tableRows(dataSource, 'dead_letters');
  return {
    turns: await tableRows(dataSource, 'turns'),
    verdicts: await tableRows(dataSource, 'verdicts'),
    anchors: await tableRows(dataSource, 'anchors'),
    seedPairs: await tableRows(dataSource, 'seed_pairs'),
    deadLetters: [...new Set(letters.map(({ reason, sha256 }) => `${reason} ${sha256}`))].sort(),
  };
}
