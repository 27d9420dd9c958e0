import type { DataSource } from 'typeorm';

/** Anchors of a rubric that were looked at, and how many of them are dsat. */
export interface Looked {
  anchors: number;
  right: number;
}

/** So many anchors of average precision are added to those of a rubric: a handful alone says little. */
const PRIOR = 10;
/** From so many reviewed anchors of a rubric on the reviews are asked instead of the classifier's card. */
const ENOUGH_REVIEWS = 30;

/** Precision of each rubric; null for one of which nothing is known. */
export function precisionsOf(rubrics: ReadonlyMap<string, Looked>): (rubric: string) => number | null {
  const sum = (of: (looked: Looked) => number) =>
    [...rubrics.values()].reduce((total, looked) => total + of(looked), 0);
  const all = sum(({ anchors }) => anchors);
  if (all === 0) return () => null;
  const overall = sum(({ right }) => right) / all;
  return (rubric) => {
    const { anchors, right } = rubrics.get(rubric) ?? { anchors: 0, right: 0 };
    return (right + PRIOR * overall) / (anchors + PRIOR);
  };
}

interface AnchorRow {
  id: string;
  rubric: string | null;
  version: string | null;
  /** A person said that its turn is dsat. */
  reviewed: boolean;
}

/**
 * How probably each anchor's turn is dsat, by its rubric: measured on the reviews where there are enough of turns drawn at
 * random, else by the cross-validation of the classifier (its card). 1 where a person said so; null where nothing was
 * measured, as of imported anchors.
 */
export async function readPrecisions(dataSource: DataSource, ids: string[]): Promise<Map<string, number | null>> {
  const anchors = await dataSource.query<AnchorRow[]>(
    `SELECT a.id, a.rubric, a.classifier_version AS version, coalesce(v.reviewed, false) AS reviewed
     FROM anchors a LEFT JOIN verdicts v ON v.conversation_id = a.conversation_id AND v.turn = a.turn
     WHERE a.id = ANY ($1)`,
    [ids],
  );
  const reviewed = await reviewedRubrics(dataSource);
  const cards = await readCards(dataSource, [...new Set(anchors.flatMap(({ version }) => version ?? []))]);
  return new Map(
    anchors.map(({ id, rubric, version, reviewed: isReviewed }) => {
      if (isReviewed) return [id, 1];
      if (rubric === null || version === null) return [id, null];
      const looked = reviewed.get(rubric);
      if (looked && looked.anchors >= ENOUGH_REVIEWS) return [id, looked.right / looked.anchors];
      return [id, cards.get(version)?.(rubric) ?? null];
    }),
  );
}

/** Turns drawn at random whose verdict alone made an anchor, by the rubric that the classifier gave. */
async function reviewedRubrics(dataSource: DataSource): Promise<Map<string, Looked>> {
  const rows = await dataSource.query<(Looked & { rubric: string })[]>(
    `SELECT v.classified->>'rubric' AS rubric, count(*)::int AS anchors, (count(*) FILTER (WHERE v.label = 'dsat'))::int AS right
     FROM verdicts v
     WHERE v.reviewed AND NOT v.abstained AND v.classified->>'label' = 'dsat' AND NOT (v.classified->>'abstained')::boolean
       AND EXISTS (SELECT FROM reviews r
         WHERE r.conversation_id = v.conversation_id AND r.turn = v.turn AND r.stratum = 'random')
     GROUP BY 1`,
  );
  return new Map(rows.map(({ rubric, ...looked }) => [rubric, looked]));
}

/** What a language model judged is of another version, of which this is not known. */
async function readCards(
  dataSource: DataSource,
  versions: string[],
): Promise<Map<string, (rubric: string) => number | null>> {
  const rows = await dataSource.query<{ version: string; rubrics: Record<string, Partial<Looked>> | null }[]>(
    `SELECT version, card->'rubrics' AS rubrics FROM classifier_versions WHERE version = ANY ($1)`,
    [versions],
  );
  return new Map(rows.map(({ version, rubrics }) => [version, precisionsOf(lookedOf(rubrics ?? {}))]));
}

/** Cards of earlier releases have no such figures. */
function lookedOf(rubrics: Record<string, Partial<Looked>>): Map<string, Looked> {
  return new Map(Object.entries(rubrics).map(([rubric, { anchors = 0, right = 0 }]) => [rubric, { anchors, right }]));
}
