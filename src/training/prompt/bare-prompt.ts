import type { Message } from '../../anchor/anchor.js';
import type { PromptTokenizer } from './shorten.js';

export type Prompt =
  | { outcome: 'fits'; ids: number[]; droppedTurns: number }
  | { outcome: 'refused'; reason: 'no-request' | 'prompt-too-long' | 'feedback-too-long' };

/**
 * The conversation through the model's chat template, up to where the reply begins; the oldest turns are left out
 * until it fits, and what is left begins with a user or system turn, as templates want it.
 */
export function barePrompt(tokenizer: PromptTokenizer, messages: readonly Message[], limit: number): Prompt {
  return longestThatFits(messages, limit, (kept) => tokenizer.encodeChat(kept));
}

/** Adds turns from the newest to the oldest for as long as what `encode` makes of them has at most `limit` tokens. */
export function longestThatFits(
  messages: readonly Message[],
  limit: number,
  encode: (kept: readonly Message[]) => number[],
): Prompt {
  if (messages.at(-1)?.role !== 'user') return { outcome: 'refused', reason: 'no-request' };
  let best: Prompt = { outcome: 'refused', reason: 'prompt-too-long' };
  for (let start = messages.length - 1; start >= 0; start--) {
    if (!isOpening(messages[start]!)) continue;
    const ids = encode(messages.slice(start));
    if (ids.length > limit) break;
    best = { outcome: 'fits', ids, droppedTurns: start };
  }
  return best;
}

const isOpening = ({ role }: Message) => role === 'user' || role === 'system';
