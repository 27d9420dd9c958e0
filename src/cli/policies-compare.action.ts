import { resolveModelDir } from '../model/default-model.js';
import { Tokenizer } from '../model/tokenizer.js';
import { compareVersions, renderComparison } from '../policy/compare-versions.js';
import { createTfjsEngine } from '../training/engine/tfjs.engine.js';
import { Progress } from '../training/progress.js';
import { withData } from './with-data.js';

export interface CompareOptions {
  anchors: number;
  json?: boolean;
}

export async function compare(versions: [string, string], { anchors, json }: CompareOptions): Promise<void> {
  const progress = new Progress((line) => process.stderr.write(`${line}\n`));
  const comparisons = await withData(async (dataSource, config) => {
    const baseDir = resolveModelDir(config);
    const tokenizer = Tokenizer.load(baseDir);
    const comparer = { dataSource, engine: createTfjsEngine(), tokenizer, baseDir, progress };
    return compareVersions(comparer, versions, anchors);
  });
  for (const comparison of comparisons) console.log(json ? JSON.stringify(comparison) : renderComparison(comparison));
}
