import type { DataSource } from 'typeorm';
import { MESSAGES } from './lease-reviews.js';
import { decideVotes, type ReviewStratum, type Vote } from './review.js';

interface ReviewedRow {
  conversation: string;
  turn: number;
  /** As of the first review. */
  stratum: ReviewStratum;
  votes: Vote[];
  messages: { role: string; content: string }[];
}

const PAGE = 500;

/** Lines of a label file, in the order of conversation and turn; turns on which the reviewers do not agree are left out. */
export async function* labelLines(dataSource: DataSource): AsyncGenerator<string> {
  let [conversation, turn] = ['', -1];
  for (;;) {
    const rows = await readReviewed(dataSource, conversation, turn);
    for (const { votes, messages, ...row } of rows) {
      const decided = decideVotes(votes);
      if (decided) yield `${JSON.stringify({ ...row, ...decided, messages })}\n`;
    }
    if (rows.length < PAGE) return;
    ({ conversation, turn } = rows.at(-1)!);
  }
}

function readReviewed(dataSource: DataSource, conversation: string, turn: number): Promise<ReviewedRow[]> {
  return dataSource.query<ReviewedRow[]>(
    `SELECT r.conversation_id AS conversation, r.turn, r.stratum, r.votes, said.messages FROM (
       SELECT conversation_id, turn, (array_agg(stratum ORDER BY reviewed_at, reviewer))[1] AS stratum,
         json_agg(json_build_object('label', label, 'rubric', rubric, 'confidence', confidence)
           ORDER BY reviewed_at, reviewer) AS votes
       FROM reviews WHERE (conversation_id, turn) > ($1, $2::integer)
       GROUP BY conversation_id, turn ORDER BY conversation_id, turn LIMIT ${PAGE}
     ) r ${MESSAGES('r')} ORDER BY r.conversation_id, r.turn`,
    [conversation, turn],
  );
}
