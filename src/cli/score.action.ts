import { loadConfig } from '../config/config.js';
import { resolveModelDir } from '../model/default-model.js';
import { modelSource } from '../model/model-source.js';
import { createTfjsEngine } from '../training/engine/tfjs.engine.js';
import { Progress } from '../training/progress.js';
import { readScoreRecords } from './records/score-records.js';
import { RecordEncoder } from './records/tokens.js';
import { writeLines } from './write-lines.js';

export interface ScoreArguments {
  model?: string;
  in: string;
  out: string;
}

export async function score(options: ScoreArguments): Promise<void> {
  const progress = new Progress((line) => console.error(line));
  const modelDir = resolveModelDir(loadConfig(), options.model);
  const { dir, lora } = modelSource(modelDir);
  const records = readScoreRecords(options.in, new RecordEncoder(dir));
  progress.line(`loading ${modelDir}`);
  const policy = await createTfjsEngine().load(dir, { lora });
  const logprobs = await policy.logprobs(records, (done) => progress.tick(() => `scored ${done} of ${records.length}`));
  policy.dispose();
  await writeLines(
    scoredLines(
      records.map(({ raw }) => raw),
      logprobs,
    ),
    options.out,
  );
  progress.line(`scored ${records.length} completions`);
  console.log(options.out);
}

async function* scoredLines(records: Record<string, unknown>[], logprobs: Float32Array[]): AsyncGenerator<string> {
  for (const [i, record] of records.entries()) yield `${JSON.stringify({ ...record, logprobs: [...logprobs[i]!] })}\n`;
}
