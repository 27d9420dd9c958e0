/** A database to ask. */
export interface Queried {
  query<T>(sql: string): Promise<T[]>;
}

/** What must be equal, receipt times aside. */
const TABLES = {
  turns: { key: "conversation_id || ' ' || turn", without: 'received_at' },
  turn_feedback: { key: "concat_ws(' ', conversation_id, turn, kind, occurred_at)", without: 'received_at' },
  verdicts: { key: "conversation_id || ' ' || turn", without: 'decided_at' },
  anchors: { key: "conversation_id || ' ' || turn", without: 'created_at' },
  seed_pairs: { key: "conversation_id || ' ' || turn", without: 'created_at' },
};

export interface Comparison {
  rows: Record<string, number>;
  /** Rows of the undisturbed run that are missing, or other ones. */
  lost: number;
  /** Rows that the undisturbed run does not have. */
  doubled: number;
  /** The first rows that differ. */
  differences: string[];
}

/** Compares the tables of two places row for row; dead letters as a set of (reason, sha256). */
export async function compare(expected: Queried, actual: Queried): Promise<Comparison> {
  const total: Comparison = { rows: {}, lost: 0, doubled: 0, differences: [] };
  for (const table of [...Object.keys(TABLES), 'dead_letters']) {
    const [wanted, found] = [await digests(expected, table), await digests(actual, table)];
    total.rows[table] = wanted.size;
    const missing = [...wanted].filter(([key, digest]) => found.get(key) !== digest).map(([key]) => key);
    const extra = [...found.keys()].filter((key) => !wanted.has(key));
    total.lost += missing.length;
    total.doubled += extra.length;
    total.differences.push(
      ...missing.slice(0, 5).map((key) => `${table}: ${key} is ${found.has(key) ? 'another one' : 'missing'}`),
      ...extra.slice(0, 5).map((key) => `${table}: ${key} is too many`),
    );
  }
  return total;
}

/** Primary keys keep a row from being there twice; so a double shows as a row with a key of its own. */
async function digests(place: Queried, table: string): Promise<Map<string, string>> {
  const rows = await place.query<{ key: string; digest: string }>(
    table === 'dead_letters'
      ? `SELECT DISTINCT reason || ' ' || sha256 AS key, '' AS digest FROM dead_letters`
      : digestQuery(table as keyof typeof TABLES),
  );
  return new Map(rows.map(({ key, digest }) => [key, digest]));
}

function digestQuery(table: keyof typeof TABLES): string {
  const { key, without } = TABLES[table];
  return `SELECT ${key} AS key, md5((to_jsonb(t) - '${without}')::text) AS digest FROM ${table} t`;
}
