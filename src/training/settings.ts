import { z } from 'zod';
import { ANCHOR_ORIGINS } from '../anchor/anchor.js';
import { DriftError } from '../drift-error.js';
import { LORA_TARGETS, type SampledLengths, type TokenPair } from './engine/training-engine.js';

export const PRESETS = ['default', 'quick'] as const;
export const SAMPLING_MODES = ['guided', 'unguided'] as const;
export const REFERENCES = ['start', 'seed', 'base'] as const;
export const ORIGINS = [...ANCHOR_ORIGINS, 'any'] as const;
export const REPLY_JUDGES = ['embedded', 'llm'] as const;
export const VERDICT_CONFIDENCES = ['off', 'threshold', 'weight', 'smoothing'] as const;
export const DTYPES = ['fp32', 'bf16'] as const;

const tokens = z.int().min(16).max(131_072);
const share = z.number().min(0).max(1);

/** Everything that decides what a run computes; stored with it. */
export const runSettingsSchema = z.strictObject({
  preset: z.enum(PRESETS),
  iterations: z.int().min(1).max(100).describe('How often to sample, pair, train and evaluate.'),
  sampling: z
    .enum(SAMPLING_MODES)
    .describe('Whether the model sees rejected reply and feedback when it samples chosen.'),
  reference: z
    .enum(REFERENCES)
    .describe(
      'Frozen counterpart in the loss: the policy at the start of the iteration, after the warm start, or the base model.',
    ),
  warmStart: z
    .boolean()
    .describe('DPO on seed pairs before the first iteration of a run that starts from the base model.'),
  warmStartPairs: z.int().positive().nullable().describe('Most seed pairs in the warm start; null takes all.'),
  warmStartEpochs: z.int().positive(),
  origin: z
    .enum(ORIGINS)
    .default('observed')
    .describe('Which anchors: those that users gave, those that were imported, or both.'),
  anchors: z.int().positive().nullable().describe('Most training anchors; null takes all.'),
  heldOutAnchors: z.int().positive().describe('Most held-out anchors.'),
  // Runs that an earlier release began had no limit.
  maxUserShare: share.positive().default(1).describe('Most of the anchors of a side that one user may supply.'),
  maxTenantShare: share.positive().default(1).describe('Most that one tenant may supply, where there are several.'),
  promptTokens: tokens.describe('Limit of the prompt of a pair.'),
  guidedPromptTokens: tokens.min(256).describe('Limit of the prompt of guided sampling.'),
  sequenceTokens: tokens.describe('Limit of prompt and completion of a pair together.'),
  newTokens: tokens.describe('Most tokens of a sample.'),
  temperature: z.number().positive().max(5),
  topP: share.positive(),
  minP: share.default(0).describe('Tokens less probable than so many times the most probable one are left out.'),
  repetitionPenalty: z
    .number()
    .min(1)
    .max(10)
    .default(1)
    .describe('Divides the logits of tokens that prompt or sample hold; 1 changes nothing.'),
  tries: z.int().min(1).max(16).describe('Samples drawn for an anchor until one passes verification.'),
  beta: z.number().positive(),
  learningRate: z.number().positive().max(1),
  batchSize: z.int().positive(),
  epochs: z.int().positive().describe('Passes over the pairs of an iteration.'),
  schedule: z.enum(['constant', 'linear']),
  warmupRatio: share,
  maxGradNorm: z.number().positive(),
  labelSmoothing: z.number().min(0).max(0.5),
  // Runs that an earlier release began had none.
  verdictConfidence: z
    .enum(VERDICT_CONFIDENCES)
    .default('off')
    .describe(
      'What the measured precision of a verdict decides: nothing, whether its anchor is trained on, how much its pair weighs, or its label smoothing.',
    ),
  leastPrecision: share.default(0.6).describe('Precision from which on anchors are trained on, where that decides.'),
  sftWeight: z.number().min(0).describe('Weight of the negative log-likelihood of chosen in the loss.'),
  loraRank: z.int().positive().max(1024).nullable().describe('Rank of low-rank adapters; null trains all weights.'),
  replyJudge: z
    .enum(REPLY_JUDGES)
    .default('embedded')
    .describe(
      'Who says whether chosen is better than rejected: the embedded judge, or the language model of DRIFTLOOP_JUDGE_URL.',
    ),
  loraTargets: z
    .array(z.enum(LORA_TARGETS))
    .min(1)
    .nullable()
    .default(null)
    .describe('Layers with adapters; null is all.'),
  loraDropout: z.number().min(0).lt(1).default(0).describe('Share of the adapters’ inputs that drop out in training.'),
  dtype: z.enum(DTYPES).describe('Arithmetic of matrix products; weights stay fp32.'),
  seed: z.int().min(0).max(0xffff_ffff),
});
export type RunSettings = z.output<typeof runSettingsSchema>;
export type Preset = RunSettings['preset'];

/** The settings of the paper and its released configurations (arXiv 2510.02341); `docs/training.md` explains each. */
const DEFAULT: RunSettings = {
  preset: 'default',
  iterations: 2,
  sampling: 'guided',
  reference: 'start',
  warmStart: true,
  warmStartPairs: null,
  warmStartEpochs: 3,
  origin: 'observed',
  anchors: null,
  heldOutAnchors: 256,
  maxUserShare: 0.05,
  maxTenantShare: 0.5,
  promptTokens: 1024,
  guidedPromptTokens: 2048,
  sequenceTokens: 2048,
  newTokens: 512,
  temperature: 0.7,
  topP: 0.9,
  minP: 0,
  repetitionPenalty: 1,
  tries: 4,
  beta: 0.1,
  learningRate: 5e-7,
  batchSize: 4,
  epochs: 1,
  schedule: 'linear',
  warmupRatio: 0.1,
  maxGradNorm: 1,
  labelSmoothing: 0,
  verdictConfidence: 'weight',
  leastPrecision: 0.6,
  sftWeight: 0.001,
  loraRank: null,
  replyJudge: 'embedded',
  loraTargets: null,
  loraDropout: 0,
  dtype: 'fp32',
  seed: 42,
};

/** Sized for minutes on two cores. Six steps an iteration leave no room for a warm-up. */
const QUICK: RunSettings = {
  ...DEFAULT,
  preset: 'quick',
  warmStartPairs: 8,
  warmStartEpochs: 1,
  anchors: 24,
  heldOutAnchors: 8,
  promptTokens: 384,
  guidedPromptTokens: 768,
  sequenceTokens: 480,
  newTokens: 96,
  learningRate: 1e-5,
  warmupRatio: 0,
};

export const PRESET_SETTINGS: Record<Preset, RunSettings> = { default: DEFAULT, quick: QUICK };

/**
 * A preset with what was asked for otherwise.
 * @throws DriftError `usage`, naming every value that is wrong
 */
export function settingsOf(preset: Preset, overrides: Partial<RunSettings> = {}): RunSettings {
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  const result = runSettingsSchema.safeParse({ ...PRESET_SETTINGS[preset], ...given });
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new DriftError('usage', `These settings cannot be trained with:\n  ${problems.join('\n  ')}`);
  }
  const { promptTokens, sequenceTokens, loraRank, loraTargets, loraDropout } = result.data;
  if (loraRank === null && (loraTargets !== null || loraDropout > 0))
    throw new DriftError('usage', 'Targets and dropout are of adapters: pass --lora-rank too.');
  if (promptTokens >= sequenceTokens) {
    throw new DriftError(
      'usage',
      `promptTokens (${promptTokens}) leaves no room for a reply in sequenceTokens (${sequenceTokens}).`,
    );
  }
  return result.data;
}

/** Anchors that are sampled, and stored, together: the unit in which an interrupted stage goes on. */
export const SHARD = 32;

/** Under this many new tokens most samples cannot end: they count as `unfinished` and both sides get the same budget. */
export const UNFINISHED_UNDER_TOKENS = 512;

export const allowsUnfinished = ({ newTokens }: Pick<RunSettings, 'newTokens'>): boolean =>
  newTokens < UNFINISHED_UNDER_TOKENS;

/** Most tokens of a completion whose prompt has `promptTokens`: chosen and rejected alike. */
export function completionBudget(settings: RunSettings, promptTokens: number): number {
  const room = settings.sequenceTokens - promptTokens;
  return allowsUnfinished(settings) ? Math.min(settings.newTokens, room) : room;
}

/** A pair as long as a run's can be: chosen has at most the new tokens of a sample, rejected what the sequence leaves. */
export function longestPair({ promptTokens, sequenceTokens, newTokens }: RunSettings): TokenPair {
  const prompt = Math.min(promptTokens, Math.max(1, sequenceTokens - newTokens));
  const ids = (tokens: number) => new Array<number>(tokens).fill(0);
  const chosenIds = ids(Math.min(newTokens, sequenceTokens - prompt));
  return { promptIds: ids(prompt), chosenIds, rejectedIds: ids(sequenceTokens - prompt) };
}

/** As much as a run samples at once: a shard of anchors, of which the held-out ones are always guided. */
export function longestSamples({ promptTokens, guidedPromptTokens, newTokens }: RunSettings): SampledLengths {
  return { sequences: SHARD, promptTokens: Math.max(promptTokens, guidedPromptTokens), newTokens };
}
