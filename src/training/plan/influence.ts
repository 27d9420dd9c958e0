import type { Candidate } from './split.js';

/** What somebody gave: users are told apart within their tenant. */
export interface Given extends Pick<Candidate, 'id' | 'conversationId'> {
  userId: string | null;
  tenant: string | null;
}

/** Most that one may supply of what is chosen, each in (0, 1]. */
export interface Shares {
  maxUserShare: number;
  maxTenantShare: number;
}

export type OverShare = 'user-share' | 'tenant-share';

export interface Picked<T> {
  chosen: T[];
  /** Why others were passed over, by id. */
  over: Map<string, OverShare>;
}

/**
 * The most of `ordered`, first ones first and at most `most`, in which no user and no tenant has more than its share;
 * one of each is always allowed. The shares are of what is chosen in the end, not of what was there. A conversation
 * without a user id counts as a user; tenants are limited where there are several, and what has none is of nobody's.
 */
export function pickWithinShares<T extends Given>(ordered: readonly T[], most: number, shares: Shares): Picked<T> {
  const tenants = new Set(ordered.map(({ tenant }) => tenant ?? undefined));
  tenants.delete(undefined);
  let size = Math.min(most, ordered.length);
  for (;;) {
    const perUser = limitOf(shares.maxUserShare, size);
    const perTenant = tenants.size > 1 ? limitOf(shares.maxTenantShare, size) : size;
    const picked = take(ordered, size, perUser, perTenant);
    // A smaller choice has lower limits; the sizes fall to the largest one that its own limits allow.
    if (picked.chosen.length === size) return picked;
    size = picked.chosen.length;
  }
}

/** The sum is rounded where a share like 0.29 is not exact in binary. */
const limitOf = (share: number, size: number) => Math.max(1, Math.floor(share * size + 1e-9));

function take<T extends Given>(ordered: readonly T[], size: number, perUser: number, perTenant: number): Picked<T> {
  const picked: Picked<T> = { chosen: [], over: new Map() };
  const users = new Map<string, number>();
  const tenants = new Map<string, number>();
  for (const given of ordered) {
    if (picked.chosen.length === size) break;
    const [user, { tenant }] = [userOf(given), given];
    if ((users.get(user) ?? 0) >= perUser) picked.over.set(given.id, 'user-share');
    else if (tenant !== null && (tenants.get(tenant) ?? 0) >= perTenant) picked.over.set(given.id, 'tenant-share');
    else {
      picked.chosen.push(given);
      users.set(user, (users.get(user) ?? 0) + 1);
      if (tenant !== null) tenants.set(tenant, (tenants.get(tenant) ?? 0) + 1);
    }
  }
  return picked;
}

const userOf = ({ tenant, userId, conversationId }: Given) =>
  JSON.stringify([tenant, userId === null ? { conversationId } : userId]);
