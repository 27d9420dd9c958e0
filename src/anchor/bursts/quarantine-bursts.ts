import type { DataSource, EntityManager } from 'typeorm';
import { type Burst, findBursts } from './find-bursts.js';
import { oldestNewComplaint, readComplaints } from './read-complaints.js';

/** One transaction. */
export type Write = <T>(work: (manager: EntityManager) => Promise<T>) => Promise<T>;

/** A burst as far as it was active until now. */
export type QuarantinedBurst = Burst & { reason: string };

const SAME: Record<Burst['alike'], string> = {
  feedback: 'the same feedback',
  exchange: 'the same reply and feedback',
  'short-feedback': 'the same few words',
};

const reasonOf = ({ alike, conversations }: Burst) =>
  `near-duplicate burst: ${conversations} conversations with nearly ${SAME[alike]}`;

/**
 * Quarantines the anchors of near-duplicate bursts, and returns what it took: of all anchors, or only of windows with
 * anchors that no run has looked at yet. What a person released is left alone.
 */
export async function quarantineBursts(
  dataSource: DataSource,
  among: 'all' | 'new',
  write: Write = (work) => dataSource.transaction(work),
): Promise<QuarantinedBurst[]> {
  const since = among === 'new' ? await oldestNewComplaint(dataSource) : Number.NEGATIVE_INFINITY;
  if (since === null) return [];
  const bursts = findBursts(await readComplaints(dataSource, since), since);
  if (bursts.length === 0) return [];
  const taken = await write((manager) => quarantine(manager, bursts));
  return bursts.flatMap((burst) => {
    const ids = burst.ids.filter((id) => taken.has(id));
    return ids.length > 0 ? [{ ...burst, ids, reason: reasonOf(burst) }] : [];
  });
}

/** Writes one entry of the audit log for each anchor. */
async function quarantine(manager: EntityManager, bursts: readonly Burst[]): Promise<Set<string>> {
  const anchors = bursts.flatMap((burst) => burst.ids.map((id) => ({ id, burst })));
  const rows = await manager.query<{ id: string }[]>(
    `WITH taken AS (
       UPDATE anchors a SET state = 'quarantined', state_reason = found.reason
       FROM unnest($1::uuid[], $2::text[], $3::jsonb[]) AS found (id, reason, facts)
       WHERE a.id = found.id AND a.state = 'active' AND a.state_reason IS NULL
       RETURNING a.id, found.facts
     )
     INSERT INTO audit_log (action, subject, facts) SELECT 'quarantine-anchor', id::text, facts FROM taken
     RETURNING subject AS id`,
    [
      anchors.map(({ id }) => id),
      anchors.map(({ burst }) => reasonOf(burst)),
      anchors.map(({ burst: { alike, conversations } }) => JSON.stringify({ why: 'burst', alike, conversations })),
    ],
  );
  return new Set(rows.map(({ id }) => id));
}
