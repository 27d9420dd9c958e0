import type { EntityManager } from 'typeorm';
import { lockConversations } from '../database/conversation-lock.js';
import { holdForErasure, holdOffErasures } from '../erasure/erase-conversations.js';
import { type Erasure, eraseLate, eraseWithin, type LateErasure } from '../erasure/erase-subject.js';
import { erasedAmong, erasedUsersAmong, tombstonesAmong } from '../erasure/tombstones.js';
import { groupBy } from '../group-by.js';
import type { Pseudonyms } from '../privacy/pseudonyms.js';
import type { ProtectedLetter } from './protect-letter.js';
import type { PlacedTurn } from './sort-turns.js';
import type { TurnFeedback } from './turn.js';

export interface Incoming {
  turns: PlacedTurn[];
  feedback: TurnFeedback[];
}

export interface Kept extends Incoming {
  /** Conversations that were erased as only now they are seen to be an erased user's. */
  erasedLate: number;
}

export type ErasureHold = 'alone' | 'beside-others';

/**
 * A turn shows a conversation to be an erased user's. Only who holds off all others may erase it, and a hold beside others
 * cannot become that one: two who want it would wait for each other.
 */
export class ErasureHoldNeeded extends Error {}

/**
 * Does the erasures of a batch, locks its conversations, and leaves out what was erased: turns and feedback of an erased
 * conversation, and all conversations in which an erased user spoke before the erasure.
 * @throws ErasureHoldNeeded where it has to be called in a new transaction that holds off others from its beginning
 */
export async function keepErasedOut(
  manager: EntityManager,
  pseudonyms: Pseudonyms,
  { turns, feedback }: Incoming,
  erasures: Erasure[],
  hold: ErasureHold = erasures.length > 0 ? 'alone' : 'beside-others',
): Promise<Kept> {
  if (hold === 'alone') await holdForErasure(manager);
  else await holdOffErasures(manager);
  for (const erasure of erasures) await eraseWithin(manager, pseudonyms, erasure);
  const ids = new Set([
    ...turns.map(({ turn }) => turn.conversationId),
    ...feedback.map((given) => given.conversationId),
  ]);
  await lockConversations(manager, ids);
  const erased = await erasedAmong(manager, pseudonyms, ids);
  const late = await lateAmong(manager, turns, erased);
  if (late.length > 0 && hold !== 'alone') throw new ErasureHoldNeeded();
  for (const erasure of late) await eraseLate(manager, pseudonyms, erasure);
  const lateIds = late.flatMap(({ conversationIds }) => conversationIds);
  for (const id of lateIds) erased.add(id);
  if (erased.size === 0) return { turns, feedback, erasedLate: 0 };
  return {
    erasedLate: lateIds.length,
    turns: turns.filter(({ turn }) => !erased.has(turn.conversationId)),
    feedback: feedback.filter(({ conversationId }) => !erased.has(conversationId)),
  };
}

/** The conversations, by user, of which only now a turn comes that shows them to be an erased user's. */
async function lateAmong(
  manager: EntityManager,
  turns: PlacedTurn[],
  erased: ReadonlySet<string>,
): Promise<LateErasure[]> {
  const users = await erasedUsersAmong(manager, new Set(turns.flatMap(({ turn }) => turn.userId ?? [])));
  const userOf = new Map<string, string>();
  for (const { turn } of turns) {
    const userId = turn.userId ?? '';
    const erasedAt = users.get(userId);
    const isLate = erasedAt && Date.parse(turn.occurredAt) <= erasedAt.getTime();
    if (isLate && !erased.has(turn.conversationId)) userOf.set(turn.conversationId, userId);
  }
  const byUser = groupBy(userOf.keys(), (conversationId) => userOf.get(conversationId)!);
  return [...byUser].map(([userId, conversationIds]) => ({ userId, at: users.get(userId)!, conversationIds }));
}

/** Leaves out the letters that name an erased conversation, or a user who was erased after what they say. */
export async function keepErasedLettersOut(
  manager: EntityManager,
  letters: ProtectedLetter[],
): Promise<ProtectedLetter[]> {
  const ids = new Set(letters.flatMap((letter) => letter.ids));
  const conversations = await tombstonesAmong(manager, ids);
  const users = await erasedUsersAmong(manager, ids);
  const isErased = (id: string, saidAt: Date) =>
    conversations.has(id) || (users.get(id)?.getTime() ?? -1) >= saidAt.getTime();
  return letters.filter((letter) => !letter.ids.some((id) => isErased(id, letter.saidAt)));
}
