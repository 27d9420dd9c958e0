import type { Rubric } from '../dsat/verdict.js';

export const ANCHOR_STATES = ['active', 'quarantined', 'retired', 'erased'] as const;
export type AnchorState = (typeof ANCHOR_STATES)[number];

/** `observed`: a user was dissatisfied. `imported`: preference data that others publish, where no user said why. */
export const ANCHOR_ORIGINS = ['observed', 'imported'] as const;
export type AnchorOrigin = (typeof ANCHOR_ORIGINS)[number];

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
  /** Why it is in this state: what quarantined it, or what the person said who decided; null while nothing did. */
  stateReason: string | null;
  /** Version of the classifier by which the turn is no anchor; null where the last one that read it agrees. */
  disputedBy: string | null;
  origin: AnchorOrigin;
  /** Which preference data an imported one is from. */
  source: string | null;
  conversationId: string;
  /** Index of the user turn that voices the dissatisfaction; of an imported one, where that would be. */
  turn: number;
  rubric: Rubric | null;
  /** Probability of dsat, 0 to 1; null where no classifier judged, as with imported ones. */
  confidence: number | null;
  classifierVersion: string | null;
  /** Policy version that wrote the rejected reply, where the producer said it. */
  policyVersion: string | null;
  model: string | null;
  tenant: string | null;
  createdAt: Date;
  /** The user's turn, f; null with imported ones. */
  feedback: string | null;
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
  /** Who was dissatisfied. */
  userId: string | null;
  chosenTurn: number;
  chosen: string;
  /** Of the two requests, 0 to 1. */
  similarity: number;
}
