import type { EntityManager } from 'typeorm';
import { lockConversations } from '../database/conversation-lock.js';
import { eraseConversations, holdForErasure, holdOffErasures } from '../erasure/erase-conversations.js';
import { type Erasure, eraseWithin } from '../erasure/erase-subject.js';
import { erasedAmong, erasedUsersAmong, tombstonesAmong } from '../erasure/tombstones.js';
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

/**
 * Does the erasures of a batch, locks its conversations, and leaves out what was erased: turns and feedback of an erased
 * conversation, and all conversations in which an erased user spoke before the erasure.
 */
export async function keepErasedOut(
  manager: EntityManager,
  pseudonyms: Pseudonyms,
  { turns, feedback }: Incoming,
  erasures: Erasure[],
): Promise<Kept> {
  if (erasures.length > 0) await holdForErasure(manager);
  else await holdOffErasures(manager);
  for (const erasure of erasures) await eraseWithin(manager, pseudonyms, erasure);
  const ids = new Set([
    ...turns.map(({ turn }) => turn.conversationId),
    ...feedback.map((given) => given.conversationId),
  ]);
  await lockConversations(manager, ids);
  const erased = await erasedAmong(manager, pseudonyms, ids);
  const late = await eraseLate(manager, pseudonyms, turns, erased);
  for (const id of late) erased.add(id);
  if (erased.size === 0) return { turns, feedback, erasedLate: 0 };
  return {
    erasedLate: late.length,
    turns: turns.filter(({ turn }) => !erased.has(turn.conversationId)),
    feedback: feedback.filter(({ conversationId }) => !erased.has(conversationId)),
  };
}

/** Erases the conversations of which only now a turn comes that shows them to be an erased user's. */
async function eraseLate(
  manager: EntityManager,
  pseudonyms: Pseudonyms,
  turns: PlacedTurn[],
  erased: ReadonlySet<string>,
): Promise<string[]> {
  const users = await erasedUsersAmong(manager, new Set(turns.flatMap(({ turn }) => turn.userId ?? [])));
  if (users.size === 0) return [];
  const late = turns.filter(({ turn }) => {
    const erasedAt = users.get(turn.userId ?? '');
    return erasedAt && Date.parse(turn.occurredAt) <= erasedAt.getTime() && !erased.has(turn.conversationId);
  });
  const ids = [...new Set(late.map(({ turn }) => turn.conversationId))];
  if (ids.length > 0) {
    const latest = new Date(Math.max(...[...users.values()].map(Number)));
    await eraseConversations(manager, pseudonyms, ids, latest);
  }
  return ids;
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
