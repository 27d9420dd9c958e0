import { z } from 'zod';
import { POLICY_KINDS, type PolicyVersionEntity } from './policy-version.entity.js';

/**
 * The event on the compacted topic of policy versions; its key is the version. With it a serving fleet can fetch the
 * weights and check them by itself.
 */
export const policyPublishedSchema = z
  .object({
    schema: z.literal('driftloop.policy-published.v1'),
    version: z.string(),
    parent: z.string().nullable().describe('Version that training started from; null for the base model.'),
    baseModel: z.string(),
    kind: z.enum(POLICY_KINDS).describe('`full` weights, or an `adapter` in PEFT form.'),
    uri: z.string().describe('Directory with the files: `file://` on a shared volume, or `s3://`.'),
    files: z.array(z.object({ path: z.string(), bytes: z.number().int(), sha256: z.string() })),
    run: z.string().nullable(),
    snapshotHash: z.string().describe('sha256 over ids and contents of the anchors that the run used.'),
    metrics: z.record(z.string(), z.unknown()),
    publishedAt: z.iso.datetime(),
  })
  .meta({ id: 'PolicyPublished' });
export type PolicyPublished = z.output<typeof policyPublishedSchema>;

export function policyPublishedOf(policy: PolicyVersionEntity): PolicyPublished {
  const { version, parent, baseModel, kind, uri, files, runId, snapshotHash, metrics, createdAt } = policy;
  return {
    schema: 'driftloop.policy-published.v1',
    version,
    parent,
    baseModel,
    kind,
    uri,
    files,
    run: runId,
    snapshotHash,
    metrics,
    publishedAt: createdAt.toISOString(),
  };
}
