import { expect, it } from 'vitest';
import { as, decode, decoded } from '../../../test/factories/records.js';

const review = (given: object = {}) => ({
  schema: 'driftloop.review.v1',
  reviewId: 'pr-7/1',
  kind: 'code-review',
  instruction: 'Review this change.',
  artefact: '- if (a)\n+ if (!a)',
  output: 'Looks good.',
  comment: 'No, the condition is the wrong way round.',
  occurredAt: '2026-03-01T10:00:00Z',
  reviewer: 'u1',
  tenant: 'acme',
  model: 'm',
  policyVersion: 'v3',
  metadata: { language: 'typescript' },
  ...given,
});

it('is an exchange: instruction and artefact, the output, the comment', () => {
  const { turns } = decoded(review());
  expect(turns.map(({ turn, role, content }) => [turn, role, content])).toEqual([
    [0, 'user', 'Review this change.\n\n- if (a)\n+ if (!a)'],
    [1, 'assistant', 'Looks good.'],
    [2, 'user', 'No, the condition is the wrong way round.'],
  ]);
  expect(turns[1]).toMatchObject({
    conversationId: 'pr-7/1',
    model: 'm',
    policyVersion: 'v3',
    userId: 'u1',
    tenant: 'acme',
    metadata: { language: 'typescript', review: 'code-review' },
  });
});

it('may come before its comment, and again with it', () => {
  const [asked, written] = decoded(review({ comment: null })).turns;
  const again = decoded(review()).turns;
  expect(again.slice(0, 2).map(({ sha256 }) => sha256)).toEqual([asked!.sha256, written!.sha256]);
});

it('has feedback on the output', () => {
  expect(decoded(review({ feedback: { kind: 'thumbs', value: 'down' } })).feedback).toEqual([
    { conversationId: 'pr-7/1', turn: 1, kind: 'thumbs', value: 'down', occurredAt: '2026-03-01T10:00:00Z' },
  ]);
});

it('keeps artefacts that are more than text', () => {
  const page = { type: 'file', file: { filename: 'report.pdf' } };
  const [asked] = decoded(review({ artefact: [page] }), as('application/vnd.driftloop.review.v1+json')).turns;
  expect(asked!.content).toBe('Review this change.\n[file: report.pdf]');
  expect(asked!.parts).toContainEqual(page);
});

it.each([
  ['no artefact', review({ artefact: undefined }), 'invalid', /^artefact: /],
  ['no output', review({ output: null }), 'invalid', /^output: /],
  ['no kind', review({ kind: '' }), 'invalid', /^kind: /],
  ['another version', review({ schema: 'driftloop.review.v2' }), 'unknown-schema', /review\.v2/],
] as const)('is rejected with %s', (_, value, reason, detail) => {
  expect(decode(value)).toMatchObject({ outcome: 'rejected', reason, detail: expect.stringMatching(detail) });
});
