import { existsSync } from 'node:fs';
import { ASSETS, cachePaths as pathsIn } from '../../scripts/setup/assets.mjs';
import type { Config } from '../config/config.js';
import { DriftError } from '../drift-error.js';

export type CachePaths = ReturnType<typeof pathsIn>;

/** Where setup puts what it fetches; whether it is there is `requireAsset`'s question. */
export function cachePaths(config: Pick<Config, 'cacheDir'>): CachePaths {
  return pathsIn(config.cacheDir);
}

const TITLES: Record<keyof CachePaths, string> = {
  modelGguf: ASSETS.model.title,
  modelDir: `${ASSETS.model.title} (converted)`,
  chatLogs: ASSETS.chatLogs.title,
  kafkaLibs: ASSETS.kafka.title,
  tensorflow: ASSETS.tensorflow.title,
  tensorflowCuda: `${ASSETS.tensorflow.title} for CUDA`,
  postgres: ASSETS.postgres.title,
};

/**
 * The path of an asset that is there.
 * @throws DriftError `asset-missing`
 */
export function requireAsset(config: Pick<Config, 'cacheDir'>, asset: keyof CachePaths): string {
  const path = cachePaths(config)[asset];
  if (existsSync(path)) return path;
  throw new DriftError('asset-missing', `${TITLES[asset]} is not at ${path}: run \`npm run setup\`.`, {
    facts: { asset, path },
  });
}
