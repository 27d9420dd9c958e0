import type { Exchange } from './verdict.js';

/** The least of a stored or replayed turn that an exchange needs. */
export interface SpokenTurn {
  role: string;
  content: string;
}

/** The exchange that ends in turn `at`; null unless that is a user turn right after a reply. */
export function exchangeAt(turns: readonly SpokenTurn[], at: number): Exchange | null {
  const [reply, userTurn] = [turns[at - 1], turns[at]];
  if (reply?.role !== 'assistant' || userTurn?.role !== 'user') return null;
  const prompt = turns.slice(0, at - 1).findLast(({ role }) => role === 'user');
  return { prompt: prompt?.content ?? '', reply: reply.content, userTurn: userTurn.content };
}
