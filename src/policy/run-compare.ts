import { loadConfig } from '../config/config.js';
import { createDataSource } from '../database/data-source.js';
import { resolveModelDir } from '../model/default-model.js';
import { Tokenizer } from '../model/tokenizer.js';
import { withStack } from '../stack/stack.js';
import { createTfjsEngine } from '../training/engine/tfjs.engine.js';
import { Progress } from '../training/progress.js';
import { type Comparison, compareVersions } from './compare-versions.js';

/** `driftloop policies compare` in this process. */
export async function runCompare(versions: [string, string], anchors: number): Promise<Comparison[]> {
  const config = loadConfig();
  const baseDir = resolveModelDir(config);
  const progress = new Progress((line) => process.stderr.write(`${line}\n`));
  return withStack(config, ['postgres'], async ({ databaseUrl }) => {
    const dataSource = await createDataSource(databaseUrl, 2).initialize();
    try {
      const tokenizer = Tokenizer.load(baseDir);
      return await compareVersions(
        { dataSource, engine: createTfjsEngine(), tokenizer, baseDir, progress },
        versions,
        anchors,
      );
    } finally {
      await dataSource.destroy();
    }
  });
}
