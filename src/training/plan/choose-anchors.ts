import { type Given, pickWithinShares, type Shares } from './influence.js';

/** What came of an anchor whose texts were read. */
export type Fitness = { id: string } & (
  | { outcome: 'fit'; contentHash: string }
  | { outcome: 'dropped'; reason: string }
);

export interface Choice {
  /** In the order of the candidates. */
  chosen: { id: string; contentHash: string }[];
  /** Why others cannot be taken, by id. */
  dropped: Map<string, string>;
  /** Ids of those that were not needed. */
  spare: string[];
}

const PAGE = 64;

/**
 * Chooses at most `most` of the candidates, first ones first, that are fit and within the shares. `look` reads texts,
 * which is what costs: it is asked of none that the shares leave out. Each one that proves unfit changes what the
 * shares allow, so then the choice is made again without it.
 */
export async function chooseAnchors(
  candidates: readonly Given[],
  most: number,
  shares: Shares,
  look: (ids: string[]) => Promise<Fitness[]>,
): Promise<Choice> {
  const hashes = new Map<string, string>();
  const unfit = new Map<string, string>();
  for (;;) {
    const { chosen, over } = pickWithinShares(
      candidates.filter(({ id }) => !unfit.has(id)),
      most,
      shares,
    );
    const unread = chosen.filter(({ id }) => !hashes.has(id)).map(({ id }) => id);
    for (let at = 0; at < unread.length; at += PAGE) {
      for (const read of await look(unread.slice(at, at + PAGE))) {
        if (read.outcome === 'fit') hashes.set(read.id, read.contentHash);
        else unfit.set(read.id, read.reason);
      }
    }
    if (chosen.some(({ id }) => unfit.has(id))) continue;
    const taken = new Set(chosen.map(({ id }) => id));
    const dropped = new Map([...unfit, ...over]);
    const spare = candidates.filter(({ id }) => !taken.has(id) && !dropped.has(id)).map(({ id }) => id);
    return { chosen: chosen.map(({ id }) => ({ id, contentHash: hashes.get(id)! })), dropped, spare };
  }
}
