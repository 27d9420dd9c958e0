import type { AnchorCase, Message } from '../../anchor/anchor.js';
import { longestThatFits, type Prompt } from './bare-prompt.js';
import { headAndTail, type PromptTokenizer } from './shorten.js';

/** What the authors' code asks for ("an improved response that addresses their concerns"), as a user would. */
export const INSTRUCTION =
  'Based on this feedback, write an improved reply to my request that addresses these concerns. Write only the reply itself.';

/**
 * What the model sees when it samples chosen with guidance: the conversation, the rejected reply, then feedback and
 * instruction as the user's turn, at most `limit` tokens. The feedback is never cut (over half of the limit it
 * disqualifies the anchor), the rejected reply keeps its head and tail, at most a third, and the conversation gets what
 * is left, from its newest turn; if not even that fits, its head and tail.
 */
export function guidedPrompt(
  tokenizer: PromptTokenizer,
  { prompt, rejected, feedback }: Pick<AnchorCase, 'prompt' | 'rejected'> & { feedback: string },
  limit: number,
): Prompt {
  if (tokenizer.encode(feedback).length > limit / 2) return { outcome: 'refused', reason: 'feedback-too-long' };
  const ending: Message[] = [
    { role: 'assistant', content: headAndTail(tokenizer, rejected, Math.floor(limit / 3)) },
    { role: 'user', content: `${feedback}\n\n${INSTRUCTION}` },
  ];
  const encode = (kept: readonly Message[]) => tokenizer.encodeChat([...kept, ...ending]);
  const whole = longestThatFits(prompt, limit, encode);
  if (whole.outcome === 'fits' || whole.reason !== 'prompt-too-long') return whole;
  return shortenNewest(tokenizer, prompt, limit, encode);
}

function shortenNewest(
  tokenizer: PromptTokenizer,
  prompt: readonly Message[],
  limit: number,
  encode: (kept: readonly Message[]) => number[],
): Prompt {
  const newest = prompt.at(-1)!;
  let budget = limit - encode([{ role: 'user', content: '' }]).length;
  while (budget > 0) {
    const ids = encode([{ role: 'user', content: headAndTail(tokenizer, newest.content, budget) }]);
    if (ids.length <= limit) return { outcome: 'fits', ids, droppedTurns: prompt.length - 1 };
    budget -= ids.length - limit;
  }
  return { outcome: 'refused', reason: 'prompt-too-long' };
}
