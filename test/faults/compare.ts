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
  /** Rows that the undisturbed run does not have, or has fewer times. */
  doubled: number;
  /** The first rows that differ. */
  differences: string[];
}

/** Compares the tables of two places row for row; dead letters as a set of (reason, sha256). */
export async function compare(expected: Queried, actual: Queried): Promise<Comparison> {
  const total: Comparison = { rows: {}, lost: 0, doubled: 0, differences: [] };
  for (const table of [...Object.keys(TABLES), 'dead_letters']) {
    const [wanted, found] = [await rowsOf(expected, table), await rowsOf(actual, table)];
    total.rows[table] = [...wanted.values()].reduce((sum, { count }) => sum + count, 0);
    const differences = [...differencesOf(wanted, found)];
    for (const { lost, doubled } of differences) {
      total.lost += lost;
      total.doubled += doubled;
    }
    total.differences.push(
      ...differences
        .filter(({ lost }) => lost > 0)
        .slice(0, SHOWN)
        .map(({ what }) => `${table}: ${what}`),
      ...differences
        .filter(({ lost }) => lost === 0)
        .slice(0, SHOWN)
        .map(({ what }) => `${table}: ${what}`),
    );
  }
  return total;
}

/** Differences of each table that are told. */
const SHOWN = 5;

interface Rows {
  count: number;
  digest: string;
}

interface Difference {
  what: string;
  lost: number;
  doubled: number;
}

function* differencesOf(wanted: Map<string, Rows>, found: Map<string, Rows>): Generator<Difference> {
  for (const key of new Set([...wanted.keys(), ...found.keys()])) {
    const [a, b] = [wanted.get(key), found.get(key)];
    const more = (b?.count ?? 0) - (a?.count ?? 0);
    if (more > 0) yield { what: `${key} is ${a ? `there ${b!.count} times` : 'too many'}`, lost: 0, doubled: more };
    else if (more < 0) yield { what: `${key} is missing`, lost: -more, doubled: 0 };
    else if (a!.digest !== b!.digest) yield { what: `${key} is another one`, lost: 1, doubled: 0 };
  }
}

/** By key, which is counted: whether the table forbids a second row of it is not taken for granted. */
async function rowsOf(place: Queried, table: string): Promise<Map<string, Rows>> {
  const rows = await place.query<Rows & { key: string }>(
    table === 'dead_letters'
      ? `SELECT DISTINCT reason || ' ' || sha256 AS key, '' AS digest, 1 AS count FROM dead_letters`
      : rowsQuery(table as keyof typeof TABLES),
  );
  return new Map(rows.map(({ key, ...row }) => [key, row]));
}

function rowsQuery(table: keyof typeof TABLES): string {
  const { key, without } = TABLES[table];
  const digest = `md5((to_jsonb(t) - '${without}')::text)`;
  return `SELECT ${key} AS key, string_agg(${digest}, ' ' ORDER BY ${digest}) AS digest, count(*)::integer AS count
    FROM ${table} t GROUP BY 1`;
}
