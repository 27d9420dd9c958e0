import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DataSource } from 'typeorm';
import { ERASED_ANCHORS_OF } from '../erasure/erase-conversations.js';
import type { Fenced } from '../training/store/trainer-lease.js';
import { MANIFEST, writePolicyDirectory } from './policy-files.js';
import { type POLICY_KINDS, type PolicyFile, PolicyVersionEntity } from './policy-version.entity.js';

export interface NewPolicy {
  policyDir: string;
  checkpoint: string;
  baseModel: string;
  kind: (typeof POLICY_KINDS)[number];
  parent: string | null;
  run: { id: string; startedAt: Date };
  snapshotHash: string;
  settings: object;
  metrics: object;
}

/**
 * Makes a run's checkpoint a policy version: a whole directory first, then the row, which is what makes it exist. A run
 * has one version, so that called again after a crash it ends with the same one.
 */
export async function publishVersion(
  dataSource: DataSource,
  lease: Fenced,
  policy: NewPolicy,
): Promise<PolicyVersionEntity> {
  const versions = dataSource.getRepository(PolicyVersionEntity);
  const existing = await versions.findOneBy({ runId: policy.run.id });
  if (existing) return existing;
  const number = freeNumber(policy, (await versions.maximum('number')) ?? 0);
  const version = `v${number}`;
  const dir = join(policy.policyDir, version);
  await rm(dir, { recursive: true, force: true });
  const files = await writePolicyDirectory(dir, {
    checkpoint: policy.checkpoint,
    manifest: manifestOf(version, policy),
  });
  await insertRow(lease, version, number, dir, files, policy);
  return versions.findOneByOrFail({ version });
}

function manifestOf(version: string, policy: NewPolicy) {
  const { parent, baseModel, kind, run, snapshotHash, settings, metrics } = policy;
  const facts = { version, parent, baseModel, kind, run: run.id, runStartedAt: run.startedAt.toISOString() };
  return { schema: 'driftloop.manifest.v1', ...facts, snapshotHash, settings, metrics };
}

/**
 * The next number whose directory is free or was left by an earlier attempt of this run. Directories that the database
 * does not know otherwise (it was made anew, or another one shares the volume) are left alone.
 */
function freeNumber({ policyDir, run }: NewPolicy, highest: number): number {
  let number = highest + 1;
  while (existsSync(join(policyDir, `v${number}`)) && !isOwn(join(policyDir, `v${number}`), run)) number++;
  return number;
}

function isOwn(dir: string, run: NewPolicy['run']): boolean {
  try {
    const manifest = JSON.parse(readFileSync(join(dir, MANIFEST), 'utf8'));
    return manifest.run === run.id && manifest.runStartedAt === run.startedAt.toISOString();
  } catch {
    return false;
  }
}

async function insertRow(
  lease: Fenced,
  version: string,
  number: number,
  dir: string,
  files: PolicyFile[],
  policy: NewPolicy,
): Promise<void> {
  await lease.write((manager) =>
    manager.query(
      `INSERT INTO policy_versions
         (version, number, parent, base_model, kind, status, uri, files, run_id, snapshot_hash, metrics,
          erased_anchors)
       VALUES ($1, $2, $3, $4, $5, 'published', $6, $7, $8, $9, $10, ${ERASED_ANCHORS_OF('$8::text', '$3::text')})`,
      [
        version,
        number,
        policy.parent,
        policy.baseModel,
        policy.kind,
        pathToFileURL(dir).href,
        JSON.stringify(files),
        policy.run.id,
        policy.snapshotHash,
        JSON.stringify(policy.metrics),
      ],
    ),
  );
}
