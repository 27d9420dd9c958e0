import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { cachePaths, requireAsset } from '../stack/assets.js';
import { readModelConfig } from './model-config.js';
import { openWeights } from './safetensors-reader.js';

/** The model directory that is meant: the one given, else the configured one, else the prepared default model. */
export function resolveModelDir(config: Pick<Config, 'cacheDir' | 'modelDir'>, given?: string): string {
  return given ?? config.modelDir ?? requireAsset(config, 'modelDir');
}

/**
 * Converts the default model to a Hugging Face directory in the cache, unless that is there.
 * @throws DriftError `asset-missing` before setup fetched the GGUF file; `model-invalid` when that cannot be converted.
 */
export async function prepareDefaultModel(
  config: Pick<Config, 'cacheDir'>,
): Promise<{ dir: string; outcome: 'prepared' | 'present' }> {
  const dir = cachePaths(config).modelDir;
  if (existsSync(join(dir, 'config.json'))) return { dir, outcome: 'present' };
  const { importGguf } = await import('./gguf-import.js');
  await importGguf(requireAsset(config, 'modelGguf'), dir);
  return { dir, outcome: 'prepared' };
}

export interface ListedModel {
  name: 'configured' | 'default';
  dir: string;
  present: boolean;
  architecture: string;
  /** 0 where it is not there. */
  parameters: number;
}

/** The models a command without --model could use, the one it would use first. */
export function listModels(config: Pick<Config, 'cacheDir' | 'modelDir'>): ListedModel[] {
  const configured = config.modelDir === undefined ? [] : [describe('configured', config.modelDir)];
  return [...configured, describe('default', cachePaths(config).modelDir)];
}

function describe(name: ListedModel['name'], dir: string): ListedModel {
  if (!existsSync(join(dir, 'config.json'))) return { name, dir, present: false, architecture: '', parameters: 0 };
  const { architecture } = readModelConfig(dir);
  const sizes = [...openWeights(dir).values()].map(({ shape }) =>
    shape.reduce((product, length) => product * length, 1),
  );
  return { name, dir, present: true, architecture, parameters: sizes.reduce((sum, size) => sum + size, 0) };
}
