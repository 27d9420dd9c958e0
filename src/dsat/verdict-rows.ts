import type { DataSource, EntityManager } from 'typeorm';
import type { Exchange, Verdict } from './verdict.js';

/** A verdict and the exchange that it judges, by its turns. */
export interface JudgedTurn {
  conversationId: string;
  /** The user turn that was judged. */
  turn: number;
  /** The user turn nearest before the reply; null where there is none. */
  promptTurn: number | null;
  verdict: Verdict;
}

export async function insertVerdicts(manager: EntityManager, judged: JudgedTurn[]): Promise<void> {
  await manager.query(
    `INSERT INTO verdicts (conversation_id, turn, label, p_dsat, p_sat, p_neutral, rubric, classifier_version, status,
       abstained, judge, evidence, classified)
     SELECT * FROM unnest(${VERDICT_COLUMNS}) ON CONFLICT DO NOTHING`,
    verdictColumns(judged),
  );
}

/** Overwrites verdicts of one status, which this transaction holds. */
export async function updateVerdicts(
  manager: EntityManager,
  judged: JudgedTurn[],
  from: Verdict['status'] = 'provisional',
): Promise<void> {
  await manager.query(
    `UPDATE verdicts v SET label = g.label, p_dsat = g.p_dsat, p_sat = g.p_sat, p_neutral = g.p_neutral,
       rubric = g.rubric, classifier_version = g.classifier_version, status = g.status, abstained = g.abstained,
       judge = g.judge, evidence = g.evidence, classified = g.classified, decided_at = now()
     FROM unnest(${VERDICT_COLUMNS})
       AS g (conversation_id, turn, label, p_dsat, p_sat, p_neutral, rubric, classifier_version, status, abstained, judge,
         evidence, classified)
     WHERE v.conversation_id = g.conversation_id AND v.turn = g.turn AND v.status = '${from}'`,
    verdictColumns(judged),
  );
}

export interface ProvisionalTurn {
  conversationId: string;
  turn: number;
  promptTurn: number | null;
  exchange: Exchange;
}

export interface ExchangeRow extends Exchange, Omit<ProvisionalTurn, 'exchange'> {}

/** SQL: columns and tables of an `ExchangeRow` for each turn of `taken`. */
export const EXCHANGE_JOINS = `taken.conversation_id AS "conversationId", taken.turn, prompt.turn AS "promptTurn",
    coalesce(prompt.content, '') AS prompt, reply.content AS reply, judged.content AS "userTurn"
  FROM taken
  JOIN turns judged ON judged.conversation_id = taken.conversation_id AND judged.turn = taken.turn
  JOIN turns reply ON reply.conversation_id = taken.conversation_id AND reply.turn = taken.turn - 1
  LEFT JOIN LATERAL (
    SELECT turn, content FROM turns
    WHERE conversation_id = taken.conversation_id AND turn < taken.turn - 1 AND role = 'user'
    ORDER BY turn DESC LIMIT 1
  ) AS prompt ON true`;

export function exchangeOf({ conversationId, turn, promptTurn, ...exchange }: ExchangeRow): ProvisionalTurn {
  return { conversationId, turn, promptTurn, exchange };
}

/** Takes up to `limit` provisional verdicts, the oldest first, that no other worker holds; until the transaction ends. */
export async function takeProvisional(manager: EntityManager, limit: number): Promise<ProvisionalTurn[]> {
  const rows = await manager.query<ExchangeRow[]>(
    `WITH taken AS MATERIALIZED (
       SELECT conversation_id, turn FROM verdicts WHERE status = 'provisional'
       ORDER BY decided_at LIMIT $1 FOR UPDATE SKIP LOCKED
     )
     SELECT ${EXCHANGE_JOINS}`,
    [limit],
  );
  return rows.map(exchangeOf);
}

const VERDICT_COLUMNS = `$1::text[], $2::integer[], $3::text[], $4::float8[], $5::float8[], $6::float8[], $7::text[],
  $8::text[], $9::text[], $10::boolean[], $11::text[], $12::jsonb[], $13::jsonb[]`;

function verdictColumns(judged: JudgedTurn[]): unknown[][] {
  const verdicts = judged.map(({ verdict }) => verdict);
  return [
    judged.map(({ conversationId }) => conversationId),
    judged.map(({ turn }) => turn),
    verdicts.map(({ label }) => label),
    verdicts.map(({ probabilities }) => probabilities.dsat),
    verdicts.map(({ probabilities }) => probabilities.sat),
    verdicts.map(({ probabilities }) => probabilities.neutral),
    verdicts.map(({ rubric }) => rubric),
    verdicts.map(({ classifierVersion }) => classifierVersion),
    verdicts.map(({ status }) => status),
    verdicts.map(({ abstained }) => abstained),
    verdicts.map(({ judge }) => judge ?? null),
    verdicts.map(({ evidence }) => (evidence ? JSON.stringify(evidence) : null)),
    verdicts.map(({ classified }) => (classified ? JSON.stringify(classified) : null)),
  ];
}

/** How many verdicts wait for the second stage, at most `atMost`: that many are counted quickly. */
export async function provisionalUpTo(dataSource: DataSource, atMost: number): Promise<number> {
  const [row] = await dataSource.query<{ count: number }[]>(
    `SELECT count(*)::integer AS count FROM (SELECT FROM verdicts WHERE status = 'provisional' LIMIT $1) AS waiting`,
    [atMost],
  );
  return row?.count ?? 0;
}

/** How many verdicts wait for the second stage. */
export async function provisionalBacklog(dataSource: DataSource): Promise<number> {
  const [row] = await dataSource.query<{ count: number }[]>(
    `SELECT count(*)::integer AS count FROM verdicts WHERE status = 'provisional'`,
  );
  return row?.count ?? 0;
}
