import type { DataSource, EntityManager } from 'typeorm';
import { holdOffErasures } from '../erasure/erase-conversations.js';
import type { ReviewStratum } from './review.js';

export interface ReviewSettings {
  /** How long a turn is one reviewer's. */
  leaseMinutes: number;
  /** Share of the turns that two reviewers are to read, so that their agreement is known. */
  doubleShare: number;
}

export interface ReviewRequest {
  reviewer: string;
  stratum: ReviewStratum;
  limit: number;
}

/** A turn to review. It does not show what the classifier says: that would be agreed with. */
export interface ReviewTask {
  conversationId: string;
  turn: number;
  lease: string;
  leasedUntil: Date;
  stratum: ReviewStratum;
  /** The user turn nearest before the reply, where there is one, the reply, the turn to judge. */
  messages: { role: string; content: string }[];
}

/** One request is given turns at a time: two at once would see the same ones free. */
const GIVING = 7_431_020;

/** Gives a reviewer turns for some minutes: first those that the reviewer holds already, with new time. */
export function leaseReviews(
  dataSource: DataSource,
  request: ReviewRequest,
  settings: ReviewSettings,
): Promise<ReviewTask[]> {
  return dataSource.transaction('READ COMMITTED', async (manager) => {
    await holdOffErasures(manager);
    await manager.query('SELECT pg_advisory_xact_lock($1)', [GIVING]);
    const held = await renew(manager, request, settings);
    if (held < request.limit) await take(manager, { ...request, limit: request.limit - held }, settings);
    return readTasks(manager, request);
  });
}

async function renew(manager: EntityManager, request: ReviewRequest, settings: ReviewSettings): Promise<number> {
  const [rows] = await manager.query<[unknown[], number]>(
    `UPDATE review_leases SET expires_at = now() + $3 * interval '1 minute'
     WHERE reviewer = $1 AND stratum = $2 AND expires_at > now() RETURNING 1`,
    [request.reviewer, request.stratum, settings.leaseMinutes],
  );
  return rows.length;
}

const ORDER: Record<ReviewStratum, string> = {
  uncertain: 'greatest(v.p_dsat, v.p_sat, v.p_neutral), v.conversation_id, v.turn',
  // The same for everybody, so that what is reviewed is a sample whoever reviews.
  random: 'hashtextextended(v.conversation_id, v.turn)',
};

/**
 * Takes turns that still want a reviewer: each wants one, a share two, and one more while no label has more than half.
 * A lease that expired is lost once somebody else takes the turn.
 */
async function take(manager: EntityManager, request: ReviewRequest, settings: ReviewSettings): Promise<void> {
  await manager.query(
    `WITH open AS (
       SELECT v.conversation_id, v.turn FROM verdicts v
       CROSS JOIN LATERAL (
         SELECT count(*) AS given, coalesce(bool_or(reviewer = $1), false) AS own,
           coalesce(2 * greatest(count(*) FILTER (WHERE label = 'dsat'), count(*) FILTER (WHERE label = 'sat'),
             count(*) FILTER (WHERE label = 'neutral')) <= nullif(count(*), 0), false) AS undecided
         FROM reviews WHERE conversation_id = v.conversation_id AND turn = v.turn
       ) done
       CROSS JOIN LATERAL (
         SELECT count(*) AS held, coalesce(bool_or(reviewer = $1), false) AS own
         FROM review_leases WHERE conversation_id = v.conversation_id AND turn = v.turn AND expires_at > now()
       ) leased
       WHERE v.status = 'final' AND NOT done.own AND NOT leased.own
         AND done.given + leased.held < greatest(
           1 + (hashtextextended(v.conversation_id || ' ' || v.turn, 2) & 2147483647 < $3 * 2147483648)::int,
           done.given + done.undecided::int)
       ORDER BY ${ORDER[request.stratum]} LIMIT $5
     ), lost AS (
       DELETE FROM review_leases l USING open
       WHERE l.conversation_id = open.conversation_id AND l.turn = open.turn AND l.reviewer <> $1
         AND l.expires_at <= now()
     )
     INSERT INTO review_leases AS l (conversation_id, turn, reviewer, token, stratum, expires_at)
     SELECT conversation_id, turn, $1, gen_random_uuid(), $2, now() + $4 * interval '1 minute' FROM open
     ON CONFLICT (conversation_id, turn, reviewer)
       DO UPDATE SET token = excluded.token, stratum = excluded.stratum, expires_at = excluded.expires_at`,
    [request.reviewer, request.stratum, settings.doubleShare, settings.leaseMinutes, request.limit],
  );
}

async function readTasks(manager: EntityManager, { reviewer, stratum, limit }: ReviewRequest): Promise<ReviewTask[]> {
  return manager.query<ReviewTask[]>(
    `SELECT l.conversation_id AS "conversationId", l.turn, l.token AS lease, l.expires_at AS "leasedUntil", l.stratum,
       said.messages
     FROM review_leases l JOIN verdicts v USING (conversation_id, turn) ${MESSAGES('l')}
     WHERE l.reviewer = $1 AND l.stratum = $2 AND l.expires_at > now() ORDER BY ${ORDER[stratum]} LIMIT $3`,
    [reviewer, stratum, limit],
  );
}

/** SQL: `said.messages`, what the classifier reads of the turn of `of`. */
export const MESSAGES = (of: string) => `CROSS JOIN LATERAL (
  SELECT json_agg(json_build_object('role', role, 'content', content) ORDER BY turn) AS messages FROM (
    (SELECT turn, role, content FROM turns
     WHERE conversation_id = ${of}.conversation_id AND turn < ${of}.turn - 1 AND role = 'user'
     ORDER BY turn DESC LIMIT 1)
    UNION ALL
    SELECT turn, role, content FROM turns
    WHERE conversation_id = ${of}.conversation_id AND turn IN (${of}.turn - 1, ${of}.turn)
  ) AS exchange
) AS said`;
