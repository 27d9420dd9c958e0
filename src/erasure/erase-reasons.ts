import type { EntityManager } from 'typeorm';

/**
 * What people wrote when they released or retired anchors of these conversations goes: in the audit log, and from the
 * other anchors of the same decision, as it may tell of both. That there was a reason stays.
 */
export async function eraseReasons(manager: EntityManager, conversationIds: string[]): Promise<void> {
  await manager.query(
    `WITH decided AS (
       SELECT DISTINCT at, action, facts->>'why' AS why FROM audit_log
       WHERE action IN ('release-anchor', 'retire-anchor')
         AND subject IN (SELECT id::text FROM anchors WHERE conversation_id = ANY ($1))
     ), entries AS (
       UPDATE audit_log entry SET facts = entry.facts || '{"why": "[erased]"}'
       FROM decided WHERE entry.at = decided.at AND entry.action = decided.action
       RETURNING entry.subject, decided.why
     )
     UPDATE anchors SET state_reason = '[erased]'
     FROM entries WHERE anchors.id = entries.subject::uuid AND anchors.state_reason = entries.why`,
    [conversationIds],
  );
}
