import type { EntityManager } from 'typeorm';

/** Whoever locks some conversations holds it shared, whoever locks more than `MOST_LOCKS` alone. */
const ALL_CONVERSATIONS = 7_431_012;
/** PostgreSQL has room for some 6,000 locks of all sessions, as it comes. */
const MOST_LOCKS = 1_000;

/**
 * Holds the conversations until the transaction ends. Whoever adds turns or settles verdicts of a conversation takes
 * its lock first, so that of two such transactions the later one sees what the other did. The locks are taken in one
 * order everywhere, so that two transactions cannot wait for each other. Very many are held by holding all there are.
 */
export async function lockConversations(manager: EntityManager, conversationIds: Iterable<string>): Promise<void> {
  const ids = new Set(conversationIds);
  if (ids.size > MOST_LOCKS) return manager.query('SELECT pg_advisory_xact_lock($1)', [ALL_CONVERSATIONS]);
  await manager.query('SELECT pg_advisory_xact_lock_shared($1)', [ALL_CONVERSATIONS]);
  await manager.query(
    `SELECT pg_advisory_xact_lock(lock) FROM (
       SELECT DISTINCT hashtextextended(id, 0) AS lock FROM unnest($1::text[]) AS id ORDER BY lock
     ) AS locks`,
    [[...ids]],
  );
}
