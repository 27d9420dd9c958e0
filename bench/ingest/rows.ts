import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import type { TurnMessage } from './load.js';

/** The rows of one record, as PostgreSQL takes them. */
export interface ReadyRows {
  turn: unknown[];
  verdict?: unknown[];
  anchor?: unknown[];
}

export const TABLES = {
  turn: {
    name: 'turns',
    columns:
      'conversation_id turn role content parts occurred_at tenant user_id policy_version model metadata sha256'.split(
        ' ',
      ),
    types: 'text integer text text jsonb timestamptz text text text text jsonb text'.split(' '),
  },
  verdict: {
    name: 'verdicts',
    columns: 'conversation_id turn label p_dsat p_sat p_neutral rubric classifier_version status abstained'.split(' '),
    types: 'text integer text float8 float8 float8 text text text boolean'.split(' '),
  },
  anchor: {
    name: 'anchors',
    columns: 'id conversation_id turn rubric confidence classifier_version policy_version model tenant'.split(' '),
    types: 'uuid text integer text float8 text text text text'.split(' '),
  },
} as const;

/**
 * Writes what the service made of the messages to one file a partition, in the order of its offsets.
 * @returns the files, by partition
 */
export async function writeReadyRows(dataSource: DataSource, messages: TurnMessage[], dir: string): Promise<string[]> {
  const [turns, verdicts, anchors] = await Promise.all(
    (['turn', 'verdict', 'anchor'] as const).map((table) => rowsByTurn(dataSource, table)),
  );
  const partitions: string[][] = [];
  for (const { key, turn, partition } of messages) {
    const at = `${key} ${turn}`;
    const rows: ReadyRows = { turn: turns!.get(at)!, verdict: verdicts!.get(at), anchor: anchors!.get(at) };
    partitions[partition] ??= [];
    partitions[partition]!.push(JSON.stringify(rows));
  }
  const files = partitions.map((_, partition) => join(dir, `rows-${partition}.jsonl`));
  await Promise.all(files.map((file, partition) => writeFile(file, (partitions[partition] ?? []).join('\n'))));
  return files;
}

async function rowsByTurn(dataSource: DataSource, table: keyof typeof TABLES): Promise<Map<string, unknown[]>> {
  const { name, columns } = TABLES[table];
  const rows = await dataSource.query<Record<string, unknown>[]>(`SELECT ${columns.join(', ')} FROM ${name}`);
  return new Map(
    rows.map((row) => [`${row.conversation_id} ${row.turn}`, columns.map((column) => row[column])] as const),
  );
}
