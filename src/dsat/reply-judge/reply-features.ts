import type { FeatureVector } from '../feature-vector.js';
import { addGrams, addOpening, addSignalPairs } from '../grams.js';
import { type ReadLimit, readable, tokenHashes } from '../text.js';
import type { FreshReply } from './reply-judge.js';
import { replySignals } from './reply-signals.js';

const PROMPT_LIMIT: ReadLimit = { head: 800, tail: 400 };
const REPLY_LIMIT: ReadLimit = { head: 1_200, tail: 600 };
const HEAD_TOKENS = 12;

/** What a linear model sees of a reply: words of prompt, reply and feedback, how the texts open, and how they relate. */
export function replyFeatures({ prompt, reply, feedback = '' }: FreshReply, into: FeatureVector): void {
  const tokens = {
    prompt: tokenHashes(readable(prompt, PROMPT_LIMIT)),
    reply: tokenHashes(readable(reply, REPLY_LIMIT)),
    feedback: tokenHashes(readable(feedback, PROMPT_LIMIT)),
  };
  into.clear();
  into.group(0.7, () => addGrams(tokens.prompt, [1, 2], into));
  into.group(0.7, () => addOpening(tokens.prompt, into));
  into.group(0.5, () => addGrams(tokens.prompt.slice(0, HEAD_TOKENS), [1, 2, 3], into));
  into.group(0.7, () => addGrams(tokens.reply, [1, 2], into));
  into.group(0.7, () => addOpening(tokens.reply, into));
  into.group(1.2, () => addSignalPairs(replySignals({ prompt, reply, feedback }, tokens), into));
  if (feedback !== '') into.group(0.5, () => addGrams(tokens.feedback, [1, 2], into));
}
