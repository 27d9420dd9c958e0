/** A reply that nobody has answered yet. */
export interface FreshReply {
  /** The user turn that it answers. */
  prompt: string;
  reply: string;
  /** What the user said of an earlier reply to the same prompt, where that displeased. */
  feedback?: string;
}

/** Two replies to the same prompt. */
export interface ReplyPair {
  prompt: string;
  first: string;
  second: string;
  feedback?: string;
}

export type Preference = 'first' | 'second' | 'none';

/** Expects whether replies will displease, without the user's next turn, which the classifier of verdicts reads. */
export interface ReplyJudge {
  readonly version: string;
  /** P(displeases) of each, 0 to 1, in their order. */
  score(replies: readonly FreshReply[]): Promise<number[]>;
  /** Which of two is expected to please more, in the order of the pairs. */
  prefer(pairs: readonly ReplyPair[]): Promise<Preference[]>;
}
