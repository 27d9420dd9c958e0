import type { z } from 'zod';
import type { ContentPart } from '../content.js';
import { REVIEW_SCHEMA, reviewEventSchema } from '../review-event.js';
import { makeTurn } from '../turn.js';
import { contentTypeOf } from '../turn-event.js';
import { type Format, parseAs } from './format.js';

type Content = string | ContentPart[];

/** An artefact, what a model wrote of it, and a reviewer's comment, as an exchange. */
export const reviewEventFormat: Format = {
  name: REVIEW_SCHEMA,
  contentType: contentTypeOf(REVIEW_SCHEMA),
  summary: 'An artefact, what a model wrote of it, and what its reviewer said.',
  schema: reviewEventSchema,
  read(value) {
    const review = parseAs(reviewEventSchema, value);
    const { reviewId: conversationId, occurredAt, feedback } = review;
    const turns = turnsOf(review).map((turn) => makeTurn(turn));
    const given = feedback
      ? [{ conversationId, turn: 1, kind: feedback.kind, value: feedback.value ?? null, occurredAt }]
      : [];
    return { turns, feedback: given };
  },
};

function turnsOf(review: z.output<typeof reviewEventSchema>) {
  const { reviewId, occurredAt, tenant, reviewer, comment, policyVersion, model } = review;
  const common = {
    conversationId: reviewId,
    occurredAt,
    tenant,
    userId: reviewer,
    metadata: { ...review.metadata, review: review.kind },
  };
  const asked = { ...common, turn: 0, role: 'user', content: instructed(review.instruction, review.artefact) } as const;
  const written = { ...common, turn: 1, role: 'assistant', content: review.output, policyVersion, model } as const;
  if (comment == null) return [asked, written];
  return [asked, written, { ...common, turn: 2, role: 'user', content: comment } as const];
}

function instructed(instruction: string | null | undefined, artefact: Content): Content {
  if (!instruction) return artefact;
  if (typeof artefact === 'string') return `${instruction}\n\n${artefact}`;
  return [{ type: 'text', text: instruction }, ...artefact];
}
