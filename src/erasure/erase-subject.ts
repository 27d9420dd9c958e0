import { type DataSource, type EntityManager, QueryFailedError } from 'typeorm';
import { untilDone } from '../backoff.js';
import type { Pseudonyms } from '../privacy/pseudonyms.js';
import { type ErasedCounts, eraseConversations, holdForErasure } from './erase-conversations.js';

/** Whose data goes. Ids as they are stored: see `Pseudonyms`. */
export interface Erasure {
  subject: 'user' | 'conversation';
  id: string;
  /** What a user said until then goes; a conversation goes for good. */
  at: Date;
}

export interface Receipt extends ErasedCounts {
  /** In `audit_log`. */
  receipt: string;
}

/** Erases in a transaction of its own, again where another one was in its way. */
export function eraseSubject(dataSource: DataSource, pseudonyms: Pseudonyms, erasure: Erasure): Promise<Receipt> {
  return untilDone(
    () =>
      dataSource.transaction('READ COMMITTED', async (manager) => {
        await holdForErasure(manager);
        return eraseWithin(manager, pseudonyms, erasure);
      }),
    { firstMs: 50, maxMs: 1_000, onFailure: () => {} },
    isDeadlock,
  );
}

const isDeadlock = (error: unknown) => error instanceof QueryFailedError && error.driverError?.code === '40P01';

/** The same in a transaction that called `holdForErasure`. A user's conversations go whole. */
export async function eraseWithin(manager: EntityManager, pseudonyms: Pseudonyms, erasure: Erasure): Promise<Receipt> {
  const { subject, id, at } = erasure;
  if (subject === 'user') await rememberUser(manager, erasure);
  const ids = subject === 'user' ? await conversationsOf(manager, erasure) : [id];
  const counts = await eraseConversations(manager, pseudonyms, ids, at, subject === 'user' ? [id] : []);
  return { ...counts, receipt: await leaveReceipt(manager, pseudonyms, erasure, counts) };
}

/** Conversations of which only after their user's erasure a turn came that shows them to be the user's. */
export interface LateErasure {
  userId: string;
  at: Date;
  conversationIds: string[];
}

/** Erases them, with a receipt where anything was stored. Letters of what the user said since then stay. */
export async function eraseLate(
  manager: EntityManager,
  pseudonyms: Pseudonyms,
  { userId, at, conversationIds }: LateErasure,
): Promise<void> {
  const counts = await eraseConversations(manager, pseudonyms, conversationIds, at);
  const { conversations, ...taken } = counts;
  if (Object.values(taken).every((count) => count === 0)) return;
  await leaveReceipt(manager, pseudonyms, { subject: 'user', id: userId }, { ...taken, conversations, late: true });
}

async function leaveReceipt(
  manager: EntityManager,
  pseudonyms: Pseudonyms,
  { subject, id }: Pick<Erasure, 'subject' | 'id'>,
  facts: ErasedCounts & { late?: true },
): Promise<string> {
  const [{ receipt }] = await manager.query<[{ receipt: string }]>(
    'INSERT INTO audit_log (action, subject, facts) VALUES ($1, $2, $3) RETURNING id AS receipt',
    [`erase-${subject}`, pseudonyms.hash('receipt', id), JSON.stringify(facts)],
  );
  return receipt;
}

function rememberUser(manager: EntityManager, { id, at }: Erasure): Promise<unknown> {
  return manager.query(
    `INSERT INTO erased_users AS e (user_id, erased_at) VALUES ($1, $2)
     ON CONFLICT (user_id) DO UPDATE SET erased_at = greatest(e.erased_at, excluded.erased_at)`,
    [id, at],
  );
}

/** Also those that were here by then and say that they come later: a client's clock may be ahead. */
async function conversationsOf(manager: EntityManager, { id, at }: Erasure): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT DISTINCT conversation_id AS id FROM turns
     WHERE user_id = $1 AND (occurred_at <= $2 OR received_at <= $2)`,
    [id, at],
  );
  return rows.map((row) => row.id);
}
