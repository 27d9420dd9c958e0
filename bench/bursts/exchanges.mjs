// The follow-up user turns of the real conversations, and which of them the classifier takes for complaints.
import { readShareGptCorpus } from '../../dist/src/chat-log/sharegpt-corpus.js';
import { loadConfig } from '../../dist/src/config/config.js';
import { loadFirstStage, loadSecondStage } from '../../dist/src/dsat/cascade.js';
import { exchangeAt } from '../../dist/src/dsat/exchange-at.js';
import { requireAsset } from '../../dist/src/stack/assets.js';

/**
 * @typedef {{ id: string, conversationId: string, feedback: string, rejected: string, occurredAt?: number }} Spoken
 * @returns {Promise<(Spoken & { dsat: boolean })[]>}
 */
export async function readExchanges() {
  const corpus = await readShareGptCorpus(requireAsset(loadConfig(), 'chatLogs'));
  const [first, second] = [loadFirstStage(), loadSecondStage()];
  return corpus.flatMap(({ id: conversationId, turns }) =>
    turns.flatMap((_, turn) => {
      const exchange = exchangeAt(turns, turn);
      if (!exchange) return [];
      const { reply: rejected, userTurn: feedback } = exchange;
      const [early] = first.classifyNow([exchange]);
      const { label } = early.status === 'final' ? early : second.classifyNow([exchange])[0];
      const asked = turns.slice(0, turn - 1).some(({ role }) => role === 'user');
      return [{ id: `${conversationId}/${turn}`, conversationId, feedback, rejected, dsat: label === 'dsat' && asked }];
    }),
  );
}
