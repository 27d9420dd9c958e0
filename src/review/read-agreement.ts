import type { DataSource } from 'typeorm';
import { groupBy } from '../group-by.js';
import { type Agreement, agreementOf } from './kappa.js';
import type { ReviewStratum } from './review.js';

export interface ReviewAgreement {
  reviews: number;
  turns: number;
  /** Turns that two or more reviewed. */
  shared: number;
  /** Of each two reviewers with turns in common. */
  reviewers: ({ reviewers: [string, string] } & Agreement)[];
  /** Of the reviews against what the classifier had said, by its version and by how the turns were chosen. */
  classifier: ({ classifierVersion: string; stratum: ReviewStratum } & Agreement)[];
}

export async function readAgreement(dataSource: DataSource): Promise<ReviewAgreement> {
  const [counts] = await dataSource.query<[Pick<ReviewAgreement, 'reviews' | 'turns' | 'shared'>]>(
    `SELECT coalesce(sum(given), 0)::int AS reviews, count(*)::int AS turns, (count(*) FILTER (WHERE given > 1))::int AS shared
     FROM (SELECT count(*) AS given FROM reviews GROUP BY conversation_id, turn) AS reviewed`,
  );
  return { ...counts, reviewers: await amongReviewers(dataSource), classifier: await withClassifier(dataSource) };
}

async function amongReviewers(dataSource: DataSource): Promise<ReviewAgreement['reviewers']> {
  const rows = await dataSource.query<{ a: string; b: string; labels: [string, string] }[]>(
    `SELECT one.reviewer AS a, other.reviewer AS b, ARRAY[one.label, other.label] AS labels
     FROM reviews one JOIN reviews other USING (conversation_id, turn) WHERE one.reviewer < other.reviewer
     ORDER BY a, b`,
  );
  return [...groupBy(rows, ({ a, b }) => JSON.stringify([a, b]))].map(([key, both]) => ({
    reviewers: JSON.parse(key) as [string, string],
    ...agreementOf(both.map(({ labels }) => labels)),
  }));
}

async function withClassifier(dataSource: DataSource): Promise<ReviewAgreement['classifier']> {
  const rows = await dataSource.query<{ version: string; stratum: ReviewStratum; labels: [string, string] }[]>(
    `SELECT classifier_version AS version, stratum, ARRAY[label, classifier_label] AS labels FROM reviews
     ORDER BY version, stratum`,
  );
  return [...groupBy(rows, ({ version, stratum }) => `${stratum} ${version}`)].map(([, same]) => ({
    classifierVersion: same[0]!.version,
    stratum: same[0]!.stratum,
    ...agreementOf(same.map(({ labels }) => labels)),
  }));
}
