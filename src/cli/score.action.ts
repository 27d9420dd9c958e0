import { loadConfig } from '../config/config.js';
import { DriftError } from '../drift-error.js';
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
  if (records.length === 0) throw new DriftError('record-invalid', `${options.in} holds no completions.`);
  async function* scoredLines(): AsyncGenerator<string> {
    progress.line(`loading ${modelDir}`);
    const policy = await createTfjsEngine().load(dir, { lora });
    const onScored = (done: number) => progress.tick(() => `scored ${done} of ${records.length}`);
    const logprobs = await policy.logprobs(records, onScored);
    policy.dispose();
    for (const [i, { raw }] of records.entries()) yield `${JSON.stringify({ ...raw, logprobs: [...logprobs[i]!] })}\n`;
  }
  await writeLines(scoredLines(), options.out);
  progress.line(`scored ${records.length} completions`);
  console.log(options.out);
}
