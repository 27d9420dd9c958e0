import type { DataSource } from 'typeorm';
import type { AnchorCase } from '../../anchor/anchor.js';
import { readAnchorCases } from '../../anchor/anchor-read.js';
import { excerpt, table } from './text.js';

/** What the service has stored so far. */
export interface Found {
  conversations: number;
  turns: number;
  /** `unsure`: of those that are dsat, how many abstain. */
  verdicts: { dsat: number; unsure: number; sat: number; neutral: number; provisional: number };
  anchors: number;
  seedPairs: number;
  deadLetters: number;
}

export async function countFound(dataSource: DataSource): Promise<Found> {
  const [row] = await dataSource.query<[{ found: Found }]>(`SELECT json_build_object(
    'conversations', (SELECT count(DISTINCT conversation_id) FROM turns),
    'turns', (SELECT count(*) FROM turns),
    'verdicts', (SELECT json_build_object(
      'dsat', count(*) FILTER (WHERE label = 'dsat'),
      'unsure', count(*) FILTER (WHERE label = 'dsat' AND abstained), 'sat', count(*) FILTER (WHERE label = 'sat'),
      'neutral', count(*) FILTER (WHERE label = 'neutral'), 'provisional', count(*) FILTER (WHERE status = 'provisional')
    ) FROM verdicts),
    'anchors', (SELECT count(*) FROM anchors WHERE state = 'active' AND origin = 'observed'),
    'seedPairs', (SELECT count(*) FROM seed_pairs),
    'deadLetters', (SELECT count(*) FROM dead_letters)) AS found`);
  return row.found;
}

export function renderFound({ conversations, turns, verdicts, anchors, seedPairs, deadLetters }: Found): string {
  const judged = verdicts.dsat + verdicts.sat + verdicts.neutral;
  return table([
    ['conversations', conversations, `${turns} turns`],
    [
      'verdicts',
      judged,
      `${verdicts.dsat} dsat (${verdicts.unsure} unsure: no anchors), ${verdicts.sat} sat, ${verdicts.neutral} neutral`,
    ],
    ['anchors', anchors, 'replies that displeased, with the feedback'],
    ['seed pairs', seedPairs, 'of them with a later reply that satisfied'],
    ['dead letters', deadLetters, 'records that could not be used'],
  ]);
}

/** Anchors worth showing: the surest one of each of the first rubrics, short enough to read. */
export async function exampleAnchors(dataSource: DataSource, count: number): Promise<AnchorCase[]> {
  const rows = await dataSource.query<{ id: string }[]>(
    `SELECT id FROM (
       SELECT DISTINCT ON (a.rubric) a.id, a.confidence FROM anchors a
       JOIN turns f USING (conversation_id, turn)
       WHERE a.state = 'active' AND length(f.content) BETWEEN 20 AND 300
       ORDER BY a.rubric, a.confidence DESC, a.id
     ) surest ORDER BY confidence DESC LIMIT $1`,
    [count],
  );
  return readAnchorCases(dataSource, { ids: rows.map(({ id }) => id) });
}

export function renderAnchor({ prompt, rejected, feedback, rubric, confidence, id }: AnchorCase): string {
  return [
    `  anchor ${id}: ${rubric ?? 'no rubric'}, P(dsat) ${confidence?.toFixed(2)}`,
    `    request   ${excerpt(prompt.at(-1)?.content ?? '', 100)}`,
    `    rejected  ${excerpt(rejected, 100)}`,
    `    feedback  ${excerpt(feedback ?? '', 200)}`,
  ].join('\n');
}
