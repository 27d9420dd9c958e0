import type { DataSource } from 'typeorm';
import type { Exchange, Label } from '../verdict.js';
import { EXCHANGE_JOINS, type ExchangeRow, exchangeOf } from '../verdict-rows.js';

/** A turn whose verdict another version of the classifier gave. */
export interface PastTurn {
  conversationId: string;
  turn: number;
  promptTurn: number | null;
  exchange: Exchange;
  /** As it was read: if it is another one by the time of writing, somebody else was first. */
  was: { version: string; label: Label };
}

/** Where a page of the history ended. */
export type Place = Pick<PastTurn, 'conversationId' | 'turn'>;

export const START: Place = { conversationId: '', turn: -1 };

export interface HistoryFilter {
  /** The version that is to be everywhere; what a language model judged beside it is of that version too. */
  version: string;
  /** Only turns that were said from then on. */
  since: Date | null;
}

interface PastRow extends ExchangeRow {
  version: string;
  label: Label;
}

/**
 * The next final verdicts of other versions, in the order of conversation and turn: none twice that was withheld, and
 * none that people reviewed.
 */
export async function readHistory(
  dataSource: DataSource,
  filter: HistoryFilter,
  after: Place,
  limit: number,
): Promise<PastTurn[]> {
  const rows = await dataSource.query<PastRow[]>(
    `WITH taken AS MATERIALIZED (
       SELECT v.conversation_id, v.turn, v.classifier_version, v.label ${OTHERS}
       AND (v.conversation_id, v.turn) > ($3, $4::integer) ORDER BY v.conversation_id, v.turn LIMIT $5
     )
     SELECT taken.classifier_version AS version, taken.label, ${EXCHANGE_JOINS}
     ORDER BY taken.conversation_id, taken.turn`,
    [...parametersOf(filter), after.conversationId, after.turn, limit],
  );
  return rows.map(({ version, label, ...row }) => ({ ...exchangeOf(row), was: { version, label } }));
}

export async function countHistory(dataSource: DataSource, filter: HistoryFilter): Promise<number> {
  const [row] = await dataSource.query<{ count: number }[]>(
    `SELECT count(*)::integer AS count ${OTHERS}`,
    parametersOf(filter),
  );
  return row!.count;
}

const isOf = (column: string) => `(${column} = $1::text OR starts_with(${column}, $1::text || '+'))`;

const OTHERS = `FROM verdicts v JOIN turns said ON said.conversation_id = v.conversation_id AND said.turn = v.turn
  WHERE v.status = 'final' AND NOT v.reviewed AND NOT ${isOf('v.classifier_version')}
    AND ($2::timestamptz IS NULL OR said.occurred_at >= $2)
    AND NOT EXISTS (
      SELECT FROM verdict_history h
      WHERE h.conversation_id = v.conversation_id AND h.turn = v.turn AND h.standing = 'withheld'
        AND ${isOf('h.classifier_version')}
    )`;

const parametersOf = ({ version, since }: HistoryFilter): unknown[] => [version, since];
