import { cheapSignals, costlySignals, type ExchangeTokens } from './exchange-signals.js';
import type { FeatureVector } from './feature-vector.js';
import { HEAD_TOKENS } from './first-stage-features.js';
import { addCharGrams, addGrams, addOpening, addSignalPairs } from './grams.js';
import { readable, tokenHashes } from './text.js';
import type { Exchange } from './verdict.js';

export const SECOND_TURN_LIMIT = { head: 1000, tail: 400 };
const PROMPT_LIMIT = { head: 600, tail: 200 };
const REPLY_LIMIT = { head: 800, tail: 400 };
const PATTERN_TOKENS = 10;

/**
 * N-grams of the turn, the prompt and the reply, how they relate, and how the turn opens once every less frequent word
 * is replaced by where it comes from ("make it NEW", "what is the FROM-REPLY").
 * @param frequent tokens that stay as they are in such a pattern
 */
export function secondStageFeatures(frequent: ReadonlySet<number>) {
  return (exchange: Exchange, into: FeatureVector): void => {
    const turn = readable(exchange.userTurn, SECOND_TURN_LIMIT);
    const tokens = tokenHashes(turn);
    const prompt = tokenHashes(readable(exchange.prompt, PROMPT_LIMIT));
    const reply = tokenHashes(readable(exchange.reply, REPLY_LIMIT));
    const sets: ExchangeTokens = { prompt: new Set(prompt), reply: new Set(reply), userTurn: new Set(tokens) };
    into.clear();
    into.group(0.7, () => addGrams(tokens, [1], into));
    into.group(1, () => addGrams(tokens, [2], into));
    for (const length of [3, 4, 5]) into.group(0.7, () => addCharGrams(turn, length, into));
    into.group(1, () => addOpening(tokens, into));
    into.group(0.7, () => addGrams(tokens.slice(0, HEAD_TOKENS), [1, 2, 3], into));
    into.group(1, () => addGrams(pattern(tokens, sets, frequent), [1, 2, 3, 4, 5], into));
    into.group(1.4, () =>
      addSignalPairs([...cheapSignals(exchange, turn, sets), ...costlySignals(exchange, turn, sets)], into),
    );
    into.group(0.3, () => addGrams(prompt, [1], into));
    into.group(0.2, () => addGrams(prompt.slice(0, HEAD_TOKENS), [1, 2, 3], into));
    into.group(0.3, () => addGrams(reply, [1], into));
  };
}

/** The first tokens; of one that is not frequent only whether the prompt, the reply, both or neither have it. */
function pattern(tokens: number[], { prompt, reply }: ExchangeTokens, frequent: ReadonlySet<number>): number[] {
  return tokens
    .slice(0, PATTERN_TOKENS)
    .map((token) => (frequent.has(token) ? token : Number(prompt.has(token)) + 2 * Number(reply.has(token))));
}
