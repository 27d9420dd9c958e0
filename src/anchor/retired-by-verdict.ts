import type { EntityManager } from 'typeorm';

/** Why an anchor is retired whose turn is not dsat any more: by what users did, by reviews, by a version of the classifier. */
export const NOT_DSAT = { feedback: 'feedback: not dsat', reviewed: 'reviewed: not dsat' } as const;

/** SQL: the same reason by a version of the classifier. */
export const notDsatBy = (version: string) => `${version} || ': not dsat'`;

/**
 * SQL: whether the anchor is retired for one of these reasons, and no person decided so. It is restored once it is dsat
 * again.
 */
export const retiredByVerdict = (anchor: string) => `(${anchor}.state = 'retired' AND ${anchor}.state_reason IN (
  '${NOT_DSAT.feedback}', '${NOT_DSAT.reviewed}', ${notDsatBy(`${anchor}.disputed_by`)}))`;

/** SQL: whether no person decided of the anchor, and it may be retired. */
export const undecided = (anchor: string): string =>
  `(${anchor}.state = 'quarantined' OR ${anchor}.state = 'active' AND ${anchor}.state_reason IS NULL)`;

/** Makes those of the anchors active again that a verdict had retired. */
export async function restoreAnchors(manager: EntityManager, ids: string[]): Promise<void> {
  await manager.query(
    `UPDATE anchors a SET state = 'active', state_reason = NULL, disputed_by = NULL
     WHERE id = ANY ($1) AND ${retiredByVerdict('a')}`,
    [ids],
  );
}
