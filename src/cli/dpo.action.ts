import { appendFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadConfig } from '../config/config.js';
import { DriftError } from '../drift-error.js';
import { resolveModelDir } from '../model/default-model.js';
import { readLoraSize } from '../model/lora-size.js';
import { readModelConfig } from '../model/model-config.js';
import { mustRecompute } from '../model/training-memory.js';
import { pairLogps } from '../training/engine/pair-logps.js';
import { createTfjsEngine } from '../training/engine/tfjs.engine.js';
import type {
  DpoSettings,
  LoraSettings,
  LoraTarget,
  TokenPair,
  TrainingStep,
} from '../training/engine/training-engine.js';
import { duration, Progress } from '../training/progress.js';
import { readPreferenceRecords } from './records/preference-records.js';
import { RecordEncoder } from './records/tokens.js';
import { refuseExisting, writeWhole } from './whole-directory.js';
import { cannotWrite } from './write-lines.js';

export interface DpoArguments extends Omit<DpoSettings, 'learningRate' | 'sftWeight'> {
  lr: number;
  model?: string;
  pairs: string;
  out: string;
  dtype: 'fp32' | 'bf16';
  loraRank?: number;
  loraAlpha?: number;
  loraTargets?: LoraTarget[];
  loraDropout?: number;
  loraInit?: string;
  trace?: string;
}

export async function dpo(options: DpoArguments): Promise<void> {
  const progress = new Progress((line) => console.error(line));
  refuseExisting(options.out);
  const modelDir = resolveModelDir(loadConfig(), options.model);
  const pairs = usedPairs(readPreferenceRecords(options.pairs, new RecordEncoder(modelDir)), options);
  if (pairs.length === 0) throw new DriftError('record-invalid', `${options.pairs} holds no pairs.`);
  const lora = loraSettings(options);
  mustRecompute({ ...options, config: readModelConfig(modelDir), loraRank: lora?.rank ?? null }, pairs);
  await writeWhole(resolve(options.out), (dir) => trainInto(dir, modelDir, pairs, options, progress));
  console.log(options.out);
}

async function trainInto(
  dir: string,
  modelDir: string,
  pairs: TokenPair[],
  options: DpoArguments,
  progress: Progress,
): Promise<void> {
  if (options.trace !== undefined) beginTrace(options.trace);
  progress.line(`loading ${modelDir}`);
  const policy = await createTfjsEngine().load(modelDir, { dtype: options.dtype, lora: loraSettings(options) });
  const reference = await pairLogps(policy, pairs, (done, total) =>
    progress.tick(() => `scored ${done} of ${total} completions with the reference`),
  );
  const referenced = pairs.map((pair, i) => ({ ...pair, reference: reference[i]! }));
  const startedAt = Date.now();
  await policy.train(referenced, { ...options, learningRate: options.lr, sftWeight: 0 }, (step, total) => {
    if (options.trace !== undefined) appendFileSync(options.trace, traceLine(step));
    progress.line(stepLine(step, total, Date.now() - startedAt));
  });
  await policy.save(dir);
  policy.dispose();
}

function beginTrace(file: string): void {
  try {
    writeFileSync(file, '');
  } catch (cause) {
    throw cannotWrite(file, cause);
  }
}

/** In file order with few steps, the pairs that no step reaches need no reference. */
function usedPairs<T>(pairs: T[], { order, maxSteps, batchSize }: DpoArguments): T[] {
  return order === 'file' && maxSteps !== undefined ? pairs.slice(0, maxSteps * batchSize) : pairs;
}

function loraSettings(options: DpoArguments): LoraSettings | undefined {
  const { loraRank, loraAlpha, loraTargets, loraDropout, loraInit, seed } = options;
  if (loraInit !== undefined) {
    const size = readLoraSize(loraInit);
    const own = { rank: loraRank, alpha: loraAlpha, targets: loraTargets, dropout: loraDropout };
    const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
    return { ...size, ...given, initDir: loraInit, seed };
  }
  if (loraRank !== undefined) {
    const alpha = loraAlpha ?? 2 * loraRank;
    return { rank: loraRank, alpha, targets: loraTargets, dropout: loraDropout, seed };
  }
  const needless = Object.entries({ loraAlpha, loraTargets, loraDropout }).find(([, value]) => value !== undefined);
  if (needless === undefined) return undefined;
  const option = needless[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new DriftError('usage', `--${option} needs --lora-rank or --lora-init.`);
}

function traceLine({ margins, ...step }: TrainingStep): string {
  return `${JSON.stringify(step)}\n`;
}

function stepLine(step: TrainingStep, total: number, elapsedMs: number): string {
  const left = duration((elapsedMs / step.step) * (total - step.step));
  return `step ${step.step} of ${total}: loss ${step.loss.toFixed(4)}, margin ${step.margin.toFixed(4)}, ${left} left`;
}
