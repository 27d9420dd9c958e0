import type { EntityManager } from 'typeorm';
import type { Pseudonyms } from '../privacy/pseudonyms.js';

/** Name under which an erased conversation is remembered, and its anchors go on. */
export const tombstoneOf = (pseudonyms: Pseudonyms, conversationId: string) =>
  `erased_${pseudonyms.hash('erased', conversationId).slice(0, 32)}`;

/** Those of the conversations that were erased. */
export async function erasedAmong(
  manager: EntityManager,
  pseudonyms: Pseudonyms,
  conversationIds: Iterable<string>,
): Promise<Set<string>> {
  const byTombstone = new Map([...conversationIds].map((id) => [tombstoneOf(pseudonyms, id), id]));
  const erased = await tombstonesAmong(manager, byTombstone.keys());
  return new Set([...erased].map((tombstone) => byTombstone.get(tombstone)!));
}

/** Those of the names that stand for an erased conversation. */
export async function tombstonesAmong(manager: EntityManager, names: Iterable<string>): Promise<Set<string>> {
  const wanted = [...names];
  if (wanted.length === 0) return new Set();
  const rows = await manager.query<{ id_hash: string }[]>(
    'SELECT id_hash FROM erased_conversations WHERE id_hash = ANY ($1)',
    [wanted],
  );
  return new Set(rows.map(({ id_hash }) => id_hash));
}

/** Until when what these users said is erased, by their stored ids. */
export async function erasedUsersAmong(manager: EntityManager, userIds: Iterable<string>): Promise<Map<string, Date>> {
  const wanted = [...userIds];
  if (wanted.length === 0) return new Map();
  const rows = await manager.query<{ user_id: string; erased_at: Date }[]>(
    'SELECT user_id, erased_at FROM erased_users WHERE user_id = ANY ($1)',
    [wanted],
  );
  return new Map(rows.map(({ user_id, erased_at }) => [user_id, erased_at]));
}
