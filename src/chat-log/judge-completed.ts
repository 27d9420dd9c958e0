import type { EntityManager } from 'typeorm';
import type { Classifier, Exchange } from '../dsat/verdict.js';
import type { JudgedTurn } from '../dsat/verdict-rows.js';
import { completedExchanges, type ExchangeTurns } from './exchanges.js';
import { type Role, type Turn, turnKey } from './turn.js';
import { loadTexts, type TurnHead } from './turn-rows.js';

type ExchangeOf = ExchangeTurns & { conversationId: string };

/**
 * First-stage verdicts of the exchanges that the fresh turns complete.
 * @param heads what was stored around them before, as `loadHeads` gives it
 */
export async function judgeCompleted(
  manager: EntityManager,
  firstStage: Classifier,
  heads: TurnHead[],
  fresh: Turn[],
): Promise<JudgedTurn[]> {
  const completed = findCompleted(heads, fresh);
  if (completed.length === 0) return [];
  const texts = await textsOf(manager, completed, fresh);
  const verdicts = await firstStage.classify(completed.map((exchange) => exchangeText(exchange, texts)));
  return completed.map(({ conversationId, turn, promptTurn }, index) => ({
    conversationId,
    turn,
    promptTurn,
    verdict: verdicts[index]!,
  }));
}

function findCompleted(heads: TurnHead[], fresh: Turn[]): ExchangeOf[] {
  const conversations = new Map<string, { roles: Map<number, Role>; fresh: number[] }>();
  for (const { conversationId, turn, role } of fresh) {
    if (!conversations.has(conversationId)) conversations.set(conversationId, { roles: new Map(), fresh: [] });
    conversations.get(conversationId)!.fresh.push(turn);
    conversations.get(conversationId)!.roles.set(turn, role);
  }
  for (const { conversationId, turn, role } of heads) conversations.get(conversationId)?.roles.set(turn, role);
  return [...conversations].flatMap(([conversationId, { roles, fresh }]) =>
    completedExchanges(roles, fresh).map((exchange) => ({ conversationId, ...exchange })),
  );
}

/** Texts by `turnKey`; those that are not in the batch come from the database. */
async function textsOf(manager: EntityManager, exchanges: ExchangeOf[], fresh: Turn[]): Promise<Map<string, string>> {
  const texts = new Map(fresh.map(({ conversationId, turn, content }) => [turnKey(conversationId, turn), content]));
  const wanted = exchanges.flatMap(({ conversationId, promptTurn, replyTurn, turn }) =>
    [promptTurn, replyTurn, turn].flatMap((index) => (index === null ? [] : { conversationId, turn: index })),
  );
  const missing = wanted.filter(({ conversationId, turn }) => !texts.has(turnKey(conversationId, turn)));
  if (missing.length === 0) return texts;
  const loaded = await loadTexts(manager, missing);
  for (const { conversationId, turn, content } of loaded) texts.set(turnKey(conversationId, turn), content);
  return texts;
}

function exchangeText(exchange: ExchangeOf, texts: Map<string, string>): Exchange {
  const text = (turn: number) => texts.get(turnKey(exchange.conversationId, turn))!;
  return {
    prompt: exchange.promptTurn === null ? '' : text(exchange.promptTurn),
    reply: text(exchange.replyTurn),
    userTurn: text(exchange.turn),
  };
}
