import type { DataSource, EntityManager } from 'typeorm';
import { DriftError } from '../../drift-error.js';
import { isKnownDead, processIdentity } from './process-identity.js';

const NAME = 'trainer';
const LEASE_SECONDS = 120;

/** `writer` may change the database for as long as the lease is held. */
export interface Fenced {
  /** One transaction, rolled back with `lease-lost` when somebody else has the lease. */
  write<T>(work: (manager: EntityManager) => Promise<T>): Promise<T>;
}

/**
 * The right to train, which one process has at a time. It is renewed on a timer; one whose holder is gone expires, or
 * is taken at once where the holder's process is known to be dead. Each new holder gets a higher token, and every write
 * checks the token, so that a holder that slept through its expiry cannot write.
 */
export class TrainerLease implements Fenced {
  private readonly timer: NodeJS.Timeout;
  private readonly lost = new AbortController();

  private constructor(
    private readonly dataSource: DataSource,
    private readonly token: string,
    private readonly seconds: number,
  ) {
    this.timer = setInterval(() => void this.renew(), (seconds * 1000) / 4);
    this.timer.unref();
  }

  /** Aborts when the lease is found lost. */
  get signal(): AbortSignal {
    return this.lost.signal;
  }

  /** @throws DriftError `conflict` when another process trains: who, and until when its lease lasts. */
  static async acquire(dataSource: DataSource, seconds = LEASE_SECONDS): Promise<TrainerLease> {
    const holder = processIdentity();
    const token = (await take(dataSource, holder, seconds)) ?? (await takeFromDead(dataSource, holder, seconds));
    return new TrainerLease(dataSource, token, seconds);
  }

  async write<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    this.lost.signal.throwIfAborted();
    return this.dataSource.transaction(async (manager) => {
      const sql = 'SELECT 1 FROM leases WHERE name = $1 AND token = $2 FOR SHARE';
      if ((await manager.query<unknown[]>(sql, [NAME, this.token])).length === 0) throw this.lose();
      return work(manager);
    });
  }

  /** Lets the next trainer start at once; where the database does not answer, the lease expires by itself. */
  async release(): Promise<void> {
    clearInterval(this.timer);
    const sql = 'UPDATE leases SET expires_at = now() WHERE name = $1 AND token = $2';
    await this.dataSource.query(sql, [NAME, this.token]).catch(() => undefined);
  }

  /** A database that does not answer is tried again at the next tick: the token decides at each write. */
  private async renew(): Promise<void> {
    const sql = `UPDATE leases SET expires_at = now() + make_interval(secs => $3) WHERE name = $1 AND token = $2 RETURNING 1`;
    const result = await this.dataSource.query(sql, [NAME, this.token, this.seconds]).catch(() => undefined);
    if (result !== undefined && result[1] === 0) this.lose();
  }

  private lose(): DriftError {
    clearInterval(this.timer);
    const error = new DriftError(
      'lease-lost',
      'Another trainer has taken the lease over; this one stops and wrote nothing.',
      {
        retriable: true,
      },
    );
    if (!this.lost.signal.aborted) this.lost.abort(error);
    return error;
  }
}

/** The new token, or undefined while somebody holds the lease. */
async function take(
  dataSource: DataSource,
  holder: string,
  seconds: number,
  from?: string,
): Promise<string | undefined> {
  const rows = await dataSource.query<{ token: string }[]>(
    `INSERT INTO leases AS l (name, holder, token, expires_at)
     VALUES ($1, $2, 1, now() + make_interval(secs => $3))
     ON CONFLICT (name) DO UPDATE
       SET holder = excluded.holder, token = l.token + 1, expires_at = excluded.expires_at
       WHERE l.expires_at <= now() OR l.holder = $4
     RETURNING token`,
    [NAME, holder, seconds, from ?? null],
  );
  return rows[0]?.token;
}

async function takeFromDead(dataSource: DataSource, holder: string, seconds: number): Promise<string> {
  const sql = 'SELECT holder, expires_at AS "expiresAt" FROM leases WHERE name = $1';
  const [held] = await dataSource.query<{ holder: string; expiresAt: Date }[]>(sql, [NAME]);
  const token = held && isKnownDead(held.holder) ? await take(dataSource, holder, seconds, held.holder) : undefined;
  if (token !== undefined) return token;
  const [host, , pid] = held?.holder.split('/') ?? [];
  throw new DriftError(
    'conflict',
    `Another trainer is at work: process ${pid} on ${host}, whose lease lasts until ${held?.expiresAt.toISOString()} unless renewed. Wait for it to end.`,
    { retriable: true, facts: { holder: held?.holder, expiresAt: held?.expiresAt } },
  );
}
