import type { DataSource } from 'typeorm';

/** Tokens put aside for a request, on the day (UTC) on which it began. */
export interface Reservation {
  day: string;
  tokens: number;
}

/**
 * Tokens of a day (UTC), in PostgreSQL: shared by all processes on one database, and kept over restarts. What a request
 * may take is put aside before it is sent, so that processes that ask at once stay within it together.
 */
export class DailyBudget {
  constructor(
    private readonly dataSource: DataSource,
    private readonly tokens: number,
  ) {}

  /** null where so much is not left. */
  async reserve(tokens: number): Promise<Reservation | null> {
    const [row] = await this.dataSource.query<{ day: string }[]>(
      `INSERT INTO judge_spend AS s (day, tokens)
       SELECT (now() AT TIME ZONE 'UTC')::date, $1::bigint WHERE $1::bigint <= $2::bigint
       ON CONFLICT (day) DO UPDATE SET tokens = s.tokens + $1::bigint WHERE s.tokens + $1::bigint <= $2::bigint
       RETURNING day::text`,
      [tokens, this.tokens],
    );
    return row ? { day: row.day, tokens } : null;
  }

  /** Puts what the request took in the place of what was put aside for it. */
  async settle({ day, tokens }: Reservation, taken: number): Promise<void> {
    await this.dataSource.query(
      'UPDATE judge_spend SET tokens = tokens + $2::bigint, requests = requests + 1 WHERE day = $1::date',
      [day, taken - tokens],
    );
  }
}
