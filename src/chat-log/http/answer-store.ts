import type { DataSource, EntityManager } from 'typeorm';
import { DriftError } from '../../drift-error.js';
import type { TurnsAnswer } from './turns-request.js';

/** How long a request is remembered. */
const WINDOW = '24 hours';

/** Old ones that a new one removes. */
const REMOVED_AT_ONCE = 100;

export interface IdentifiedRequest {
  /** sha256 of the API key: keys of different clients are different ones. */
  client: string;
  key: string;
  /** HMAC of the body, keyed with the API key: what was sent cannot be guessed from it. */
  sha256: string;
}

export type OnceOutcome =
  | { outcome: 'answered'; answer: TurnsAnswer }
  /** The key was used for another body. */
  | { outcome: 'other-request' };

/**
 * Answers a request as it was answered before, else by `act`, which runs once in the window of a key; of two requests at
 * once the second waits. Where the process dies after `act`, the request is unknown and acts again when it is repeated.
 * @throws DriftError `database-unavailable`; what `act` throws, and then nothing is remembered
 */
export async function answerOnce(
  dataSource: DataSource,
  request: IdentifiedRequest,
  act: () => Promise<TurnsAnswer>,
): Promise<OnceOutcome> {
  return dataSource
    .transaction(async (manager) => {
      const known = await lookUp(manager, request);
      if (known) return known;
      const answer = await act();
      await remember(manager, request, answer);
      return { outcome: 'answered', answer } as const;
    })
    .catch((cause) => {
      if (cause instanceof DriftError) throw cause;
      const message = 'PostgreSQL does not answer, so the request cannot be remembered. Send it again.';
      throw new DriftError('database-unavailable', message, { cause, retriable: true });
    });
}

async function lookUp(manager: EntityManager, request: IdentifiedRequest): Promise<OnceOutcome | undefined> {
  const { client, key, sha256 } = request;
  await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 1))', [`${client} ${key}`]);
  const [row] = await manager.query<{ sha256: string; answer: TurnsAnswer }[]>(
    `SELECT sha256, answer FROM ingest_requests
     WHERE client = $1 AND key = $2 AND answered_at > now() - interval '${WINDOW}'`,
    [client, key],
  );
  if (!row) return undefined;
  return row.sha256 === sha256 ? { outcome: 'answered', answer: row.answer } : { outcome: 'other-request' };
}

async function remember(
  manager: EntityManager,
  { client, key, sha256 }: IdentifiedRequest,
  answer: TurnsAnswer,
): Promise<void> {
  await manager.query(
    `INSERT INTO ingest_requests (client, key, sha256, answer) VALUES ($1, $2, $3, $4)
     ON CONFLICT (client, key) DO UPDATE SET sha256 = EXCLUDED.sha256, answer = EXCLUDED.answer, answered_at = now()`,
    [client, key, sha256, JSON.stringify(answer)],
  );
  await manager.query(
    `DELETE FROM ingest_requests WHERE (client, key) IN (
       SELECT client, key FROM ingest_requests WHERE answered_at <= now() - interval '${WINDOW}'
       ORDER BY answered_at LIMIT ${REMOVED_AT_ONCE} FOR UPDATE SKIP LOCKED)`,
  );
}
