import { cheapSignals, type ExchangeTokens } from './exchange-signals.js';
import type { FeatureVector } from './feature-vector.js';
import { addCharGrams, addGrams, addOpening, addSignalPairs } from './grams.js';
import { readable, tokenHashes } from './text.js';
import type { Exchange } from './verdict.js';

const TURN_LIMIT = { head: 320, tail: 120 };
const PROMPT_LIMIT = { head: 400, tail: 100 };
/** Of a turn, so many tokens say most. */
export const HEAD_TOKENS = 12;

const NOTHING = new Set<number>();

/** Few and cheap: n-grams of the turn, how it resembles the prompt, and what kind of reply it follows. */
export function firstStageFeatures(exchange: Exchange, into: FeatureVector): void {
  const turn = readable(exchange.userTurn, TURN_LIMIT);
  const tokens = tokenHashes(turn);
  const sets: ExchangeTokens = {
    prompt: new Set(tokenHashes(readable(exchange.prompt, PROMPT_LIMIT))),
    reply: NOTHING,
    userTurn: new Set(tokens),
  };
  into.clear();
  into.group(0.7, () => addGrams(tokens, [1], into));
  into.group(0.7, () => addGrams(tokens, [2], into));
  into.group(1, () => addCharGrams(turn, 4, into));
  into.group(1, () => addOpening(tokens, into));
  into.group(0.7, () => addGrams(tokens.slice(0, HEAD_TOKENS), [1, 2, 3], into));
  into.group(1, () => addSignalPairs(cheapSignals(exchange, turn, sets), into));
}
