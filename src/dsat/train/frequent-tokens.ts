import type { CorpusConversation } from '../../chat-log/sharegpt-corpus.js';
import { exchangeAt } from '../exchange-at.js';
import { SECOND_TURN_LIMIT } from '../second-stage-features.js';
import { readable, tokenHashes } from '../text.js';
import { isKeptApart, type KeptApart } from './labelled-exchanges.js';

/** Hashes of the `count` tokens that the most follow-up user turns have, in numeric order. */
export function frequentTokens(corpus: CorpusConversation[], keptApart: KeptApart, count: number): number[] {
  const turnsWith = new Map<number, number>();
  for (const { id, turns } of corpus) {
    if (isKeptApart(id, keptApart)) continue;
    turns.forEach((_, at) => {
      const exchange = exchangeAt(turns, at);
      if (!exchange) return;
      const tokens = new Set(tokenHashes(readable(exchange.userTurn, SECOND_TURN_LIMIT)));
      for (const token of tokens) turnsWith.set(token, (turnsWith.get(token) ?? 0) + 1);
    });
  }
  const sorted = [...turnsWith].sort(([a, aTurns], [b, bTurns]) => bTurns - aTurns || a - b);
  return sorted
    .slice(0, count)
    .map(([token]) => token)
    .sort((a, b) => a - b);
}
