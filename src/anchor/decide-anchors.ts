import type { DataSource, EntityManager } from 'typeorm';
import { DriftError } from '../drift-error.js';
import type { AnchorState } from './anchor.js';
import { isAnchorId } from './anchor-read.js';

export type AnchorDecision = 'release' | 'retire';

const TO: Record<AnchorDecision, AnchorState> = { release: 'active', retire: 'retired' };
const FROM: Record<AnchorDecision, AnchorState[]> = {
  release: ['quarantined', 'retired'],
  retire: ['quarantined', 'active'],
};

/**
 * What a person decides of anchors: release makes them active for good, as no burst takes them again; retire leaves
 * them out of every run to come. All of them or none; each is in the audit log with the reason.
 * @throws DriftError `not-found`; `conflict` where one is in a state that this cannot leave
 */
export async function decideAnchors(
  dataSource: DataSource,
  decision: AnchorDecision,
  ids: readonly string[],
  why: string,
): Promise<void> {
  await dataSource.transaction(async (manager) => {
    for (const anchor of await lock(manager, ids)) {
      if (FROM[decision].includes(anchor.state)) continue;
      const message = `Anchor ${anchor.id} is ${anchor.state}: only ${FROM[decision].join(' and ')} ones can be ${TO[decision]}.`;
      throw new DriftError('conflict', message);
    }
    await manager.query('UPDATE anchors SET state = $2, state_reason = $3 WHERE id = ANY ($1)', [
      ids,
      TO[decision],
      why,
    ]);
    await manager.query(
      `INSERT INTO audit_log (action, subject, facts) SELECT $2, lower(id), jsonb_build_object('why', $3::text) FROM unnest($1::text[]) AS id`,
      [ids, `${decision}-anchor`, why],
    );
  });
}

async function lock(manager: EntityManager, ids: readonly string[]): Promise<{ id: string; state: AnchorState }[]> {
  const known = ids.filter(isAnchorId);
  const sql = 'SELECT id, state FROM anchors WHERE id = ANY ($1) ORDER BY id FOR UPDATE';
  const anchors = await manager.query<{ id: string; state: AnchorState }[]>(sql, [known]);
  const found = new Set(anchors.map(({ id }) => id));
  const missing = ids.find((id) => !found.has(id.toLowerCase()));
  if (missing !== undefined) throw new DriftError('not-found', `There is no anchor ${missing}.`);
  return anchors;
}
