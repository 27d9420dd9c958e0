// The follow-up user turns of the real conversations, without those that are kept apart to measure accuracy on.
import { readShareGptCorpus } from '../../dist/src/chat-log/sharegpt-corpus.js';
import { loadConfig } from '../../dist/src/config/config.js';
import { exchangeAt } from '../../dist/src/dsat/exchange-at.js';
import { isKeptApart, readKeptApart } from '../../dist/src/dsat/train/labelled-exchanges.js';
import { uniform } from '../../dist/src/seeds.js';
import { requireAsset } from '../../dist/src/stack/assets.js';

export async function readExchanges() {
  const corpus = await readShareGptCorpus(requireAsset(loadConfig(), 'chatLogs'));
  const keptApart = await readKeptApart('data/heldout-conversations.sha256');
  return corpus
    .filter(({ id }) => !isKeptApart(id, keptApart))
    .flatMap(({ turns }) => turns.map((_, turn) => exchangeAt(turns, turn)).filter((exchange) => exchange !== null));
}

/** So many of them, drawn at random, always the same ones. */
export function drawn(exchanges, count) {
  const random = uniform(1);
  return exchanges
    .map((exchange) => ({ exchange, at: random() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ exchange }) => exchange);
}
