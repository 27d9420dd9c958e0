import type { CorpusConversation } from './sharegpt-corpus.js';

export interface ReplayOptions {
  brokers: string[];
  topic: string;
  conversations: Iterable<CorpusConversation>;
  /** Makes the conversation ids other ones, so that the same logs can be replayed as new conversations. */
  salt?: string;
  /** Upper limit; none without it. */
  turnsPerSecond?: number;
  onProgress?: (progress: ReplayResult) => void;
  signal?: AbortSignal;
}

export interface ReplayResult {
  conversations: number;
  turns: number;
  seconds: number;
}

/** Produces conversations to Kafka as `driftloop.turn.v1` events, each conversation's turns in order. */
export async function replayConversations(_options: ReplayOptions): Promise<ReplayResult> {
  throw new Error('filled in by replay');
}
