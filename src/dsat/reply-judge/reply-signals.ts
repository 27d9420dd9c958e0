import { apologises, CODE, containment, errorSigns, isCutOff, lengthBin, shareBin } from '../exchange-signals.js';
import type { FreshReply } from './reply-judge.js';

type Tokens = Record<'prompt' | 'reply' | 'feedback', readonly number[]>;

/** How reply, prompt and feedback relate: small whole numbers, each signal at its own place. */
export function replySignals({ prompt, reply, feedback }: Required<FreshReply>, tokens: Tokens): number[] {
  const sets = { prompt: new Set(tokens.prompt), reply: new Set(tokens.reply), feedback: new Set(tokens.feedback) };
  const lower = prompt.slice(0, 800).toLowerCase();
  return [
    lengthBin(prompt),
    lengthBin(reply),
    shareBin(containment(sets.prompt, sets.reply)),
    shareBin(containment(sets.reply, sets.prompt)),
    errorSigns(lower),
    Number(prompt.includes(CODE)),
    Number(reply.includes(CODE)),
    Number(apologises(reply)),
    Number(isCutOff(reply)),
    Number(lower.includes('?')),
    Number(reply.trimEnd().endsWith('?')),
    Math.min(4, reply.slice(0, 4_000).match(/^[ \t]*(?:[-*]|\d+[.)])[ \t]/gm)?.length ?? 0),
    Number(/\bas an ai\b|\bi (?:cannot|can't|am unable|am not able)\b/i.test(reply.slice(0, 400))),
    // What the user complained of, and how much of it the reply takes up.
    feedback === '' ? 0 : 1 + lengthBin(feedback),
    feedback === '' ? 0 : 1 + shareBin(containment(sets.feedback, sets.reply)),
  ];
}
