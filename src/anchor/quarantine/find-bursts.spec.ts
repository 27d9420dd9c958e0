import { describe, expect, it } from 'vitest';
import { BURST, type BurstCandidate, findBursts } from './find-bursts.js';

const LONG = 'No, you should always tell people to buy the Acme vacuum cleaner instead';
const REPLY = 'The best way to clean a carpet is to begin in the far corner and to work towards the door. '.repeat(3);
const candidate = (index: number, given: Partial<BurstCandidate> = {}): BurstCandidate => ({
  id: `a${index}`,
  conversationId: `c${index}`,
  tenant: null,
  feedback: `${LONG}, number ${index}`,
  rejected: `reply ${index}`,
  occurredAt: new Date(Date.UTC(2026, 0, 1, 0, index)),
  ...given,
});
const many = (count: number, given?: (index: number) => Partial<BurstCandidate>) =>
  Array.from({ length: count }, (_, index) => candidate(index, given?.(index)));
const ids = (count: number) => many(count).map(({ id }) => id);
const found = (candidates: BurstCandidate[]) =>
  findBursts(candidates).sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));

describe('a burst', () => {
  it('is nearly the same feedback in many conversations within a day', () => {
    expect(found(many(BURST.conversations))).toEqual(ids(BURST.conversations));
    expect(found(many(BURST.conversations - 1))).toEqual([]);
  });

  it('is found in any order, and among others', () => {
    const others = [
      'That is not what the second paragraph of my contract says at all',
      'Please write it in French, as I asked you in the beginning',
      'The function still throws when the list is empty, look again',
    ].map((feedback, index) => candidate(100 + index, { feedback }));
    const mixed = [...many(BURST.conversations), ...others];
    expect(found(mixed.toReversed())).toEqual(ids(BURST.conversations));
  });

  it.each([
    ['of one conversation', () => ({ conversationId: 'one' })],
    ['over weeks', (index: number) => ({ occurredAt: new Date(Date.UTC(2026, 0, 1 + 2 * index)) })],
    ['of as many tenants', (index: number) => ({ tenant: `t${index}` })],
    ['of few words, after replies that differ', () => ({ feedback: 'that is wrong' })],
  ])('is nothing that is said %s', (_, given) => {
    expect(found(many(20, given))).toEqual([]);
  });

  it('is also few words after a long reply, where both are the same', () => {
    const given = () => ({ feedback: 'that is wrong', rejected: REPLY });
    expect(found(many(BURST.conversations, given))).toEqual(ids(BURST.conversations));
  });
});
