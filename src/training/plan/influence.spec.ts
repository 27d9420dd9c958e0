import { describe, expect, it } from 'vitest';
import { uniform } from '../../seeds.js';
import { type Given, pickWithinShares } from './influence.js';
import { orderCandidates } from './split.js';

/** So many of each user, in conversations of their own. */
function given(counts: Record<string, number>, tenant: string | null = null): Given[] {
  return Object.entries(counts).flatMap(([userId, count]) =>
    Array.from({ length: count }, (_, index) => {
      const id = `${tenant}-${userId}-${index}`;
      return { id, conversationId: id, userId, tenant };
    }),
  );
}
const users = (count: number, each: number, from = 0) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`u${from + index}`, each]));
const countOf = <T>(all: readonly T[], key: (one: T) => unknown, value: unknown) =>
  all.filter((one) => key(one) === value).length;
const shares = { maxUserShare: 0.05, maxTenantShare: 0.5 };

describe('the share of a user', () => {
  it('is of what is chosen in the end, not of what was there', () => {
    const { chosen, over } = pickWithinShares([...given({ flood: 900 }), ...given(users(100, 1))], Infinity, shares);
    expect(countOf(chosen, ({ userId }) => userId, 'flood')).toBe(5);
    expect(chosen.length).toBe(105);
    expect(5 / 105).toBeLessThanOrEqual(0.05);
    expect([...over.values()]).toEqual(Array(895).fill('user-share'));
  });

  it('always allows one', () => {
    const { chosen } = pickWithinShares(given(users(24, 10)), 24, shares);
    expect(new Set(chosen.map(({ userId }) => userId)).size).toBe(24);
    expect(pickWithinShares(given({ only: 3 }), 24, shares).chosen.length).toBe(1);
  });

  it('leaves everything as it is where nobody exceeds it, and fills up with others where somebody does', () => {
    const even = given(users(40, 3));
    expect(pickWithinShares(even, Infinity, shares)).toEqual({ chosen: even, over: new Map() });
    const { chosen } = pickWithinShares([...given({ flood: 50 }), ...given(users(60, 1))], 40, shares);
    expect(chosen.length).toBe(40);
    expect(countOf(chosen, ({ userId }) => userId, 'flood')).toBe(2);
  });

  it('counts a conversation without a user id as a user, and equal ids of two tenants as two', () => {
    const nameless = ['a', 'a', 'a', 'b', 'c'].map((conversationId, index) => ({
      ...{ id: String(index), conversationId, userId: null, tenant: null },
    }));
    expect(pickWithinShares(nameless, Infinity, shares).chosen.map(({ id }) => id)).toEqual(['0', '3', '4']);
    const both = [...given({ same: 1 }, 'x'), ...given({ same: 1 }, 'y')];
    expect(pickWithinShares(both, Infinity, shares).chosen.length).toBe(2);
  });
});

describe('the share of a tenant', () => {
  it('is not limited where there is one', () => {
    expect(pickWithinShares(given(users(40, 1), 'only'), Infinity, shares).chosen.length).toBe(40);
  });

  it('holds among several, while what is of no tenant is not limited', () => {
    const ordered = [...given(users(90, 1), 'big'), ...given(users(10, 1, 90), 'small')];
    const { chosen, over } = pickWithinShares(ordered, Infinity, shares);
    expect(countOf(chosen, ({ tenant }) => tenant, 'big')).toBe(10);
    expect(chosen.length).toBe(20);
    expect(new Set(over.values())).toEqual(new Set(['tenant-share']));
    const nameless = given(users(200, 1, 100));
    expect(pickWithinShares([...ordered, ...nameless], Infinity, shares).chosen.length).toBe(300);
  });
});

it('holds its shares, finds the most there is and does not depend on the order of delivery, whoever gives what', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = uniform(seed);
    const all = ['x', 'y', 'z'].flatMap((tenant) =>
      given(
        Object.fromEntries(Array.from({ length: 12 }, (_, user) => [user, Math.floor(random() ** 4 * 30)])),
        tenant,
      ),
    );
    const limits = { maxUserShare: 0.02 + random() / 2, maxTenantShare: 0.2 + random() / 2 };
    const order = (list: Given[]) => orderCandidates(list.map((one) => ({ ...one, timesTrained: 0 })));
    const { chosen } = pickWithinShares(order(all), Infinity, limits);
    expect(pickWithinShares(order(all.toReversed()), Infinity, limits).chosen).toEqual(chosen);
    expect(fits(chosen, chosen.length, limits)).toBe(true);
    expect(largest(all, limits)).toBe(chosen.length);
  }
});

const userOf = ({ tenant, userId }: Given) => `${tenant} ${userId}`;
const atMost = (share: number, size: number) => Math.max(1, Math.floor(share * size + 1e-9));

function fits(chosen: Given[], size: number, limits: typeof shares): boolean {
  return chosen.every(
    (one) =>
      countOf(chosen, userOf, userOf(one)) <= atMost(limits.maxUserShare, size) &&
      countOf(chosen, ({ tenant }) => tenant, one.tenant) <= atMost(limits.maxTenantShare, size),
  );
}

/** By trying every size: what its limits leave of each user, and of that of each tenant. */
function largest(all: Given[], limits: typeof shares): number {
  for (let size = all.length; size > 0; size--) {
    const room = ['x', 'y', 'z'].map((tenant) => {
      const own = all.filter((one) => one.tenant === tenant);
      const each = [...new Set(own.map(userOf))].map((user) =>
        Math.min(countOf(own, userOf, user), atMost(limits.maxUserShare, size)),
      );
      return Math.min(
        each.reduce((a, b) => a + b, 0),
        atMost(limits.maxTenantShare, size),
      );
    });
    if (room.reduce((a, b) => a + b, 0) >= size) return size;
  }
  return 0;
}
