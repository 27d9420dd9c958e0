import { hash } from 'node:crypto';
import { type ContentPart, renderContent } from './content.js';
import { RecordRejection } from './rejection.js';

export const ROLES = ['user', 'assistant', 'system', 'tool'] as const;
export type Role = (typeof ROLES)[number];

export const FEEDBACK_KINDS = ['thumbs', 'rating', 'regenerate', 'copy', 'edit'] as const;
export type FeedbackKind = (typeof FEEDBACK_KINDS)[number];

/** Text of one turn, UTF-8. */
export const MAX_TURN_BYTES = 1024 * 1024;

/** One message of a conversation, as it is stored. */
export interface Turn {
  conversationId: string;
  /** Index in the conversation, from 0. */
  turn: number;
  role: Role;
  /** As the classifier reads it. */
  content: string;
  /** What was sent, where that was more than plain text. */
  parts: ContentPart[] | null;
  /** RFC 3339. */
  occurredAt: string;
  tenant: string | null;
  userId: string | null;
  policyVersion: string | null;
  model: string | null;
  metadata: Record<string, string> | null;
  /** Of role and content: the same turn again is a duplicate, another hash a conflict. */
  sha256: string;
}

/** What a user did about a turn, besides answering it. */
export interface TurnFeedback {
  conversationId: string;
  turn: number;
  kind: FeedbackKind;
  value: string | number | boolean | null;
  occurredAt: string;
}

export interface TurnInput {
  conversationId: string;
  turn: number;
  role: Role;
  content: string | ContentPart[];
  occurredAt: string;
  tenant?: string | null;
  userId?: string | null;
  policyVersion?: string | null;
  model?: string | null;
  metadata?: Record<string, string> | null;
}

/** @throws RecordRejection `too-large` */
export function makeTurn(input: TurnInput): Turn {
  const { text, parts } = renderContent(input.content);
  if (text.length * 3 > MAX_TURN_BYTES && Buffer.byteLength(text) > MAX_TURN_BYTES) {
    throw new RecordRejection('too-large', `turn ${input.turn}: its text is over ${MAX_TURN_BYTES} bytes`);
  }
  return {
    conversationId: input.conversationId,
    turn: input.turn,
    role: input.role,
    content: text,
    parts,
    occurredAt: input.occurredAt,
    tenant: input.tenant ?? null,
    userId: input.userId ?? null,
    policyVersion: input.policyVersion ?? null,
    model: input.model ?? null,
    metadata: input.metadata ?? null,
    sha256: hash('sha256', JSON.stringify([input.role, text, parts])),
  };
}

/** Identifies a turn within a batch. */
export function turnKey(conversationId: string, turn: number): string {
  return `${turn}:${conversationId}`;
}
