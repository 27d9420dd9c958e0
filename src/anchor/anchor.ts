import type { Rubric } from '../dsat/verdict.js';

export const ANCHOR_STATES = ['active', 'quarantined', 'retired', 'erased'] as const;
export type AnchorState = (typeof ANCHOR_STATES)[number];

export const MESSAGE_ROLES = ['user', 'assistant', 'system', 'tool'] as const;

/** One turn of a conversation as a model reads it. */
export interface Message {
  role: (typeof MESSAGE_ROLES)[number];
  content: string;
}

/** What is known of an anchor besides the conversation around it. */
export interface AnchorSummary {
  id: string;
  state: AnchorState;
  conversationId: string;
  /** Index of the user turn that voices the dissatisfaction. */
  turn: number;
  rubric: Rubric | null;
  /** Probability of dsat, 0 to 1. */
  confidence: number;
  classifierVersion: string;
  /** Policy version that wrote the rejected reply, where the producer said it. */
  policyVersion: string | null;
  model: string | null;
  tenant: string | null;
  createdAt: Date;
  /** The user's turn, f. */
  feedback: string;
}

/** An anchor with its texts. */
export interface AnchorCase extends AnchorSummary {
  /** The conversation before the rejected reply, oldest first: the unbroken run of turns that ends there. May be empty. */
  prompt: Message[];
  /** The assistant turn that displeased, y-. */
  rejected: string;
}

/** A reply that displeased and the later reply to the same request that satisfied. */
export interface SeedPairCase extends AnchorCase {
  chosenTurn: number;
  chosen: string;
  /** Of the two requests, 0 to 1. */
  similarity: number;
}
