/** Why an anchor is retired whose turn is not dsat any more: by what users did, by reviews, by a version of the classifier. */
export const NOT_DSAT = { feedback: 'feedback: not dsat', reviewed: 'reviewed: not dsat' } as const;

/** SQL: the same reason by a version of the classifier. */
export const notDsatBy = (version: string) => `${version} || ': not dsat'`;

/** SQL: whether the anchor is retired for one of these reasons, and no person decided so. It is restored once it is dsat again. */
export const retiredByVerdict = (anchor: string) => `(${anchor}.state = 'retired' AND ${anchor}.state_reason IN (
  '${NOT_DSAT.feedback}', '${NOT_DSAT.reviewed}', ${notDsatBy(`${anchor}.disputed_by`)}))`;
