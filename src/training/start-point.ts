import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataSource } from 'typeorm';
import { DriftError } from '../drift-error.js';
import { adapterOf, type ModelSource } from '../model/model-source.js';
import { readPolicy } from '../policy/policy-read.js';
import { PolicyVersionEntity } from '../policy/policy-version.entity.js';
import { LORA_TARGETS, type LoraSettings } from './engine/training-engine.js';
import type { RunSettings } from './settings.js';

/** How runs and versions name the model in a directory: not by a path, which differs between machines. */
export const modelName = (dir: string): string => basename(dir);

/**
 * The version that `--from` means; null is the base model.
 * @throws DriftError `not-found`, `usage` when the version descends from another base model
 */
export async function resolveFrom(dataSource: DataSource, from: string, baseModel: string): Promise<string | null> {
  if (from === 'base') return null;
  if (from === 'latest') {
    const [latest] = await dataSource.getRepository(PolicyVersionEntity).find({
      where: { status: 'published', baseModel },
      order: { number: 'DESC' },
      take: 1,
    });
    return latest?.version ?? null;
  }
  const policy = await readPolicy(dataSource, from);
  if (policy.baseModel === baseModel) return policy.version;
  throw new DriftError(
    'usage',
    `${from} descends from ${policy.baseModel}, and the base model here is ${baseModel} (DRIFTLOOP_MODEL).`,
  );
}

/** Where the weights of a version are, or of the base model (null). */
export async function sourceOf(dataSource: DataSource, version: string | null, baseDir: string): Promise<ModelSource> {
  if (version === null) return { dir: baseDir };
  const policy = await readPolicy(dataSource, version);
  const dir = fileURLToPath(policy.uri);
  if (!existsSync(dir)) {
    const advice = 'Restore them there, or pass --from base, or another version.';
    throw new DriftError('not-found', `The files of ${version} are not at ${dir}. ${advice}`);
  }
  if (policy.kind === 'full') return { dir };
  const under = await sourceOf(dataSource, policy.parent, baseDir);
  return { dir: under.dir, lora: adapterOf(dir) };
}

/**
 * The policy that a run starts from. With adapters, fresh ones over full weights (they change nothing until they are
 * trained), or those of the version.
 * @throws DriftError `usage` when an adapter would have to be trained as full weights or with another rank or other layers
 */
export async function startOf(
  dataSource: DataSource,
  version: string | null,
  baseDir: string,
  { loraRank, loraTargets, loraDropout, seed }: Pick<RunSettings, 'loraRank' | 'loraTargets' | 'loraDropout' | 'seed'>,
): Promise<ModelSource> {
  const source = await sourceOf(dataSource, version, baseDir);
  if (source.lora) {
    if (source.lora.rank === loraRank)
      return { ...source, lora: goingOn(version!, source.lora, { loraTargets, loraDropout }) };
    throw new DriftError(
      'usage',
      `${version} is an adapter of rank ${source.lora.rank}: pass --lora-rank ${source.lora.rank}, or another --from.`,
    );
  }
  if (loraRank === null) return source;
  const targets = loraTargets ?? LORA_TARGETS;
  return { ...source, lora: { rank: loraRank, alpha: 2 * loraRank, targets, dropout: loraDropout, seed } };
}

/** An adapter keeps its layers; its dropout is each run's own. */
function goingOn(
  version: string,
  lora: LoraSettings,
  { loraTargets, loraDropout }: Pick<RunSettings, 'loraTargets' | 'loraDropout'>,
): LoraSettings {
  const names = (targets: readonly string[] = LORA_TARGETS) => [...targets].sort().join(',');
  if (loraTargets === null || names(loraTargets) === names(lora.targets)) return { ...lora, dropout: loraDropout };
  throw new DriftError(
    'usage',
    `${version} is an adapter of ${names(lora.targets)}: leave out --lora-targets, or pass another --from.`,
  );
}
