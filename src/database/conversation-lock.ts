import type { EntityManager } from 'typeorm';

/**
 * Holds the conversations until the transaction ends. Whoever adds turns or settles verdicts of a conversation takes
 * its lock first, so that of two such transactions the later one sees what the other did. The locks are taken in one
 * order everywhere, so that two transactions cannot wait for each other.
 */
export async function lockConversations(manager: EntityManager, conversationIds: Iterable<string>): Promise<void> {
  await manager.query(
    `SELECT pg_advisory_xact_lock(lock) FROM (
       SELECT DISTINCT hashtextextended(id, 0) AS lock FROM unnest($1::text[]) AS id ORDER BY lock
     ) AS locks`,
    [[...conversationIds]],
  );
}
