import { askJson, type Question } from '../llm/ask-json.js';
import type { JudgeClient } from '../llm/judge-client.js';
import { mapConcurrently } from '../llm/map-concurrently.js';
import type { FreshReply, Preference, ReplyJudge, ReplyPair } from './reply-judge.js';
import { type PairAnswer, pairwiseQuestion, pointwiseQuestion } from './reply-prompts.js';

/**
 * A language model behind an OpenAI-compatible API. Every call throws DriftError `judge-unavailable`,
 * `judge-over-budget` or `judge-unparseable`: another judge's scores would not be comparable.
 */
export class LlmReplyJudge implements ReplyJudge {
  readonly version: string;

  constructor(private readonly client: JudgeClient) {
    this.version = `reply-${client.settings.model}`;
  }

  async score(replies: readonly FreshReply[]): Promise<number[]> {
    return this.each(replies, async (reply) => (await this.ask(pointwiseQuestion(reply))).displeases / 100);
  }

  /** Asked in both orders: models favour the place of a reply. What one order says and the other does not is none. */
  async prefer(pairs: readonly ReplyPair[]): Promise<Preference[]> {
    return this.each(pairs, async (pair) => {
      const swapped = { ...pair, first: pair.second, second: pair.first };
      const asGiven = (await this.ask(pairwiseQuestion(pair))).better;
      const turned = (await this.ask(pairwiseQuestion(swapped))).better;
      return asGiven !== 'tie' && turned === OTHER[asGiven] ? PLACE[asGiven] : 'none';
    });
  }

  private each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
    return mapConcurrently(items, this.client.settings.concurrency, work);
  }

  private ask<T>(question: Question<T>): Promise<T> {
    return askJson(this.client, question, AbortSignal.timeout(this.client.settings.timeoutMs));
  }
}

const OTHER: Record<Exclude<PairAnswer, 'tie'>, PairAnswer> = { A: 'B', B: 'A' };
const PLACE: Record<Exclude<PairAnswer, 'tie'>, Preference> = { A: 'first', B: 'second' };
