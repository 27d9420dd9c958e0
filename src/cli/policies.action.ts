import { z } from 'zod';
import { listPolicies, readPolicy } from '../policy/policy-read.js';
import type { PolicyFile, PolicyVersionEntity } from '../policy/policy-version.entity.js';
import { fields, minute, printJson, table } from './terminal.js';
import { withData } from './with-data.js';

export type ListOptions = { limit: number; json?: boolean };
export type ShowOptions = { json?: boolean };

export async function list({ limit, json }: ListOptions): Promise<void> {
  const policies = await withData((dataSource) => listPolicies(dataSource, { limit }));
  if (json) return printJson(policies);
  if (policies.length === 0) return console.error('no policy versions');
  console.log(table(COLUMNS, policies.map(row)));
}

const COLUMNS = ['version', 'status', 'kind', 'parent', 'held-out margin', 'run', 'created (UTC)'];
const measured = z.object({ heldOut: z.object({ marginMean: z.number() }) });

function row({ version, status, kind, parent, metrics, runId, createdAt }: PolicyVersionEntity): string[] {
  const margin = measured.safeParse(metrics).data?.heldOut.marginMean.toFixed(4) ?? '';
  return [version, status, kind, parent ?? 'base', margin, runId ?? '', minute(createdAt)];
}

export async function show(version: string, { json }: ShowOptions): Promise<void> {
  const policy = await withData((dataSource) => readPolicy(dataSource, version));
  if (json) return printJson([policy]);
  console.log(facts(policy));
  console.log(`\n${table(['file', 'bytes', 'sha256'], policy.files.map(fileRow))}`);
  console.log(`\nmetrics ${JSON.stringify(policy.metrics, null, 2)}`);
}

function facts(policy: PolicyVersionEntity): string {
  return fields({
    version: policy.version,
    status: policy.status,
    kind: policy.kind,
    'base model': policy.baseModel,
    parent: policy.parent ?? 'base',
    run: policy.runId,
    snapshot: policy.snapshotHash,
    uri: policy.uri,
    'trained on erased anchors': policy.erasedAnchors || null,
    created: `${minute(policy.createdAt)} UTC`,
    announced: policy.announcedAt ? `${minute(policy.announcedAt)} UTC` : 'not yet',
  });
}

function fileRow({ path, bytes, sha256 }: PolicyFile): string[] {
  return [path, String(bytes), sha256];
}
