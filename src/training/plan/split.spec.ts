import { expect, it } from 'vitest';
import { contentHash, snapshotHash } from './snapshot.js';
import { orderCandidates, splitOf } from './split.js';

const candidates = (count: number, conversations: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: `anchor-${index}`,
    conversationId: `conversation-${index % conversations}`,
    timesTrained: 0,
  }));

it('holds out about a fifth of the conversations, always the same', () => {
  const ids = Array.from({ length: 5000 }, (_, index) => `conversation-${index}`);
  const heldOut = ids.filter((id) => splitOf(id) === 'held-out');
  expect(heldOut.length / ids.length).toBeCloseTo(0.2, 1);
  expect(ids.filter((id) => splitOf(id) === 'held-out')).toEqual(heldOut);
});

it('takes one anchor of each conversation before the second of any', () => {
  const ordered = orderCandidates(candidates(30, 10));
  expect(new Set(ordered.slice(0, 10).map(({ conversationId }) => conversationId)).size).toBe(10);
});

it('does not depend on the order in which anchors come', () => {
  const anchors = candidates(50, 20);
  expect(orderCandidates(anchors.toReversed())).toEqual(orderCandidates(anchors));
});

it('takes what was never trained on first', () => {
  const anchors = candidates(10, 10).map((anchor, index) => ({ ...anchor, timesTrained: index < 5 ? 1 : 0 }));
  expect(
    orderCandidates(anchors)
      .slice(0, 5)
      .every(({ timesTrained }) => timesTrained === 0),
  ).toBe(true);
});

it('hashes ids and contents, whatever the order of the anchors', () => {
  const texts = { id: 'a', prompt: [{ role: 'user' as const, content: 'x' }], rejected: 'y', feedback: 'f' };
  const a = { id: 'a', contentHash: contentHash(texts) };
  const b = { id: 'b', contentHash: contentHash({ ...texts, feedback: 'g' }) };
  expect(a.contentHash).not.toBe(b.contentHash);
  expect(snapshotHash([a, b])).toBe(snapshotHash([b, a]));
  expect(snapshotHash([a, b])).not.toBe(snapshotHash([a]));
});
