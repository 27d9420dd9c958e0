import type { DataSource } from 'typeorm';
import type { ReplyJudge } from '../dsat/reply-judge/reply-judge.js';
import type { ModelSource } from '../model/model-source.js';
import type { PolicySlot } from './policy-slot.js';
import type { Progress } from './progress.js';
import type { PromptTokenizer } from './prompt/shorten.js';
import type { RunEntity } from './run.entity.js';
import type { RunFiles } from './run-files.js';
import type { RunSettings } from './settings.js';
import type { Fenced } from './store/trainer-lease.js';

/** What the stages of one run share. */
export interface RunContext {
  run: RunEntity;
  settings: RunSettings;
  dataSource: DataSource;
  lease: Fenced;
  slot: PolicySlot;
  tokenizer: PromptTokenizer;
  files: RunFiles;
  replyJudge: ReplyJudge;
  /** The policy that the run starts from. */
  start: ModelSource;
  base: ModelSource;
  /** Whether the warm start was done; then iteration 1 starts from its checkpoint. */
  warmStarted: boolean;
  progress: Progress;
  /** Aborts when the process is asked to end or the lease is lost. */
  signal: AbortSignal;
}

/** The policy after an iteration; after 0 it is that of the warm start, or the starting one where there was none. */
export function policyAfter(context: RunContext, iteration: number): ModelSource {
  if (iteration === 0 && !context.warmStarted) return context.start;
  const dir = context.files.checkpoint(iteration);
  const { start } = context;
  return start.lora ? { dir: start.dir, lora: { ...start.lora, initDir: dir } } : { dir };
}

/** The frozen counterpart in the loss of an iteration. */
export function referenceOf(context: RunContext, iteration: number): ModelSource {
  const { reference } = context.settings;
  if (reference === 'start') return policyAfter(context, iteration - 1);
  return reference === 'seed' ? policyAfter(context, 0) : context.base;
}

export const isSame = (a: ModelSource, b: ModelSource): boolean => JSON.stringify(a) === JSON.stringify(b);
