// The follow-up user turns of the real conversations, and which of them the classifier takes for complaints.
import { readShareGptCorpus } from '../../dist/src/chat-log/sharegpt-corpus.js';
import { loadConfig } from '../../dist/src/config/config.js';
import { loadCascade } from '../../dist/src/dsat/cascade.js';
import { exchangeAt } from '../../dist/src/dsat/exchange-at.js';
import { requireAsset } from '../../dist/src/stack/assets.js';

/**
 * @typedef {{ id: string, conversationId: string, feedback: string, rejected: string, occurredAt?: number }} Spoken
 * @returns {Promise<(Spoken & { dsat: boolean })[]>}
 */
export async function readExchanges() {
  const corpus = await readShareGptCorpus(requireAsset(loadConfig(), 'chatLogs'));
  const spoken = corpus.flatMap(({ id: conversationId, turns }) =>
    turns.flatMap((_, turn) => {
      const exchange = exchangeAt(turns, turn);
      if (!exchange) return [];
      const { reply: rejected, userTurn: feedback } = exchange;
      const asked = turns.slice(0, turn - 1).some(({ role }) => role === 'user');
      return [{ id: `${conversationId}/${turn}`, conversationId, feedback, rejected, asked, exchange }];
    }),
  );
  const verdicts = await loadCascade().classify(spoken.map(({ exchange }) => exchange));
  return spoken.map(({ exchange: _, asked, ...turn }, at) => ({
    ...turn,
    dsat: verdicts[at].label === 'dsat' && asked,
  }));
}
