import type { DataSource, EntityManager } from 'typeorm';
import { DriftError } from '../../drift-error.js';
import { type BurstCandidate, findBursts } from './find-bursts.js';

/** Of the rejected reply that is read. */
const REPLY_CHARACTERS = 2_000;

/**
 * Puts the anchors of bursts into state `quarantined`, and returns how many. Those that a person released stay as they are.
 * It is done when a run is planned and not while turns are stored, so that what is stored depends on no order.
 */
export async function quarantineBursts(source: DataSource | EntityManager): Promise<number> {
  const candidates = await source.query<BurstCandidate[]>(
    `SELECT a.id, a.conversation_id AS "conversationId", a.tenant, feedback.content AS feedback,
       left(rejected.content, ${REPLY_CHARACTERS}) AS rejected, feedback.occurred_at AS "occurredAt"
     FROM anchors a
     JOIN turns feedback ON feedback.conversation_id = a.conversation_id AND feedback.turn = a.turn
     JOIN turns rejected ON rejected.conversation_id = a.conversation_id AND rejected.turn = a.turn - 1
     WHERE a.state IN ('active', 'quarantined') AND a.origin = 'observed' ORDER BY a.id`,
  );
  const [, quarantined] = await source.query<[unknown, number]>(
    `UPDATE anchors SET state = 'quarantined', state_reason = 'burst'
     WHERE id = ANY ($1) AND state = 'active' AND state_reason IS NULL`,
    [findBursts(candidates)],
  );
  return quarantined;
}

/**
 * Lets quarantined anchors be trained on, for good.
 * @throws DriftError `not-found` for one that is not quarantined
 */
export async function releaseAnchors(dataSource: DataSource, ids: string[]): Promise<void> {
  await dataSource.transaction(async (manager) => {
    const [, released] = await manager.query<[unknown, number]>(
      `UPDATE anchors SET state = 'active', state_reason = 'released' WHERE id::text = ANY ($1) AND state = 'quarantined'`,
      [ids],
    );
    if (released === new Set(ids).size) return;
    throw new DriftError('not-found', `Not all of ${ids.join(', ')} are quarantined anchors; none was released.`);
  });
}
