import { describe, expect, it } from 'vitest';
import type { Verdict } from '../verdict.js';
import { type FeedbackOnReply, weighFeedback } from './weigh-feedback.js';
import { withEvidence } from './with-evidence.js';

const given = (kind: FeedbackOnReply['kind'], value: FeedbackOnReply['value'] = null, second = 0): FeedbackOnReply => ({
  kind,
  value,
  occurredAt: new Date(second * 1_000).toISOString(),
});

describe('weighFeedback', () => {
  it.each([
    [given('thumbs', 'down'), 2],
    [given('thumbs', false), 2],
    [given('thumbs', 'up'), -2],
    [given('rating', 1), 2],
    [given('rating', '2'), 2],
    [given('rating', 5), -2],
    [given('regenerate'), 1.5],
    [given('edit', 'better'), 0.5],
    [given('copy'), -1],
  ])('takes %o for %d', (feedback, logOdds) => {
    expect(weighFeedback([feedback])).toEqual({ logOdds, feedback: { [feedback.kind]: logOdds } });
  });

  it('says nothing where nothing is said', () => {
    for (const nothing of [
      [],
      [given('rating', 3)],
      [given('rating')],
      [given('rating', 'fine')],
      [given('thumbs', '?')],
    ])
      expect(weighFeedback(nothing)).toBeNull();
  });

  it('counts the latest thumb, each kind once, and in no order', () => {
    const all = [given('thumbs', 'up', 1), given('thumbs', 'down', 2), given('copy', null, 1), given('copy', null, 3)];
    const evidence = { logOdds: 1, feedback: { copy: -1, thumbs: 2 } };
    expect(weighFeedback(all)).toEqual(evidence);
    expect(JSON.stringify(weighFeedback(all.toReversed()))).toBe(JSON.stringify(weighFeedback(all)));
  });
});

describe('withEvidence', () => {
  const verdict = (label: Verdict['label'], dsat: number, abstained = false): Verdict => ({
    label,
    probabilities: { dsat, sat: 0, neutral: 1 - dsat },
    rubric: label === 'dsat' ? 'style' : null,
    abstained,
    classifierVersion: 'c',
    status: 'final',
  });
  const joined = (before: Verdict, logOdds: number) => withEvidence(before, { logOdds, feedback: { thumbs: logOdds } });

  it('takes a dsat verdict out of abstention, and makes one of a turn that was not called dsat', () => {
    // logit(0.4) + 2 = 1.59; logit(0.15) + 2 = 0.27.
    expect(joined(verdict('dsat', 0.4, true), 2)).toMatchObject({ label: 'dsat', rubric: 'style', abstained: false });
    expect(joined(verdict('neutral', 0.15), 2)).toMatchObject({ label: 'dsat', rubric: 'other', abstained: false });
  });

  it('takes back a doubtful dsat verdict, and leaves a sure one', () => {
    // logit(0.8) - 2 = -0.61; logit(0.95) - 2 = 0.94.
    expect(joined(verdict('dsat', 0.8), -2)).toMatchObject({ label: 'neutral', rubric: null, abstained: false });
    expect(joined(verdict('dsat', 0.95), -2)).toMatchObject({ label: 'dsat', abstained: false });
  });

  it('leaves the label where it says too little, but trusts no sat that it speaks against', () => {
    expect(joined(verdict('neutral', 0.05), 2)).toMatchObject({ label: 'neutral', abstained: false });
    expect(joined(verdict('sat', 0.05), 2)).toMatchObject({ label: 'sat', abstained: true });
    expect(joined(verdict('neutral', 0.3, true), -1)).toMatchObject({ label: 'neutral', abstained: false });
  });

  it('keeps what the classifier said, its probabilities too, and starts from that again', () => {
    const first = joined(verdict('dsat', 0.4, true), 2);
    expect(first).toMatchObject({
      probabilities: { dsat: 0.4 },
      classified: { label: 'dsat', rubric: 'style', abstained: true },
      evidence: { logOdds: 2 },
    });
    expect(joined(first, -2)).toEqual(joined(verdict('dsat', 0.4, true), -2));
  });
});
