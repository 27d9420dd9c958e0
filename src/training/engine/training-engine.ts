/** Token ids of one sequence. */
export type TokenIds = readonly number[];

export interface LoadOptions {
  /** Arithmetic of matrix products; master weights are fp32 either way. */
  dtype?: 'fp32' | 'bf16';
  /** Trains low-rank adapters over frozen weights instead of the weights. */
  lora?: LoraSettings;
}

/** Linear layers of the decoder that can have an adapter, as PEFT names them. */
export const LORA_TARGETS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;
export type LoraTarget = (typeof LORA_TARGETS)[number];

export interface LoraSettings {
  rank: number;
  /** Scale is alpha / rank. */
  alpha: number;
  /** Layers with an adapter; all of them without it. */
  targets?: readonly LoraTarget[];
  /** Share of the adapters' inputs that drop out in training; 0 without it. */
  dropout?: number;
  /** PEFT directory with the initial adapter; without it A is random (seeded) and B zero. */
  initDir?: string;
  seed: number;
}

export interface SampleRequest {
  promptIds: TokenIds;
  /** The same seed, prompt and settings give the same sample, whatever else is in the batch, but for rounding. */
  seed: number;
  /** In place of the settings' limit. */
  maxNewTokens?: number;
}

export interface SampleSettings {
  /** 0 is greedy. */
  temperature: number;
  /** Nucleus; 1 keeps all. */
  topP: number;
  /** 0 keeps all. */
  topK: number;
  /** Tokens less probable than so many times the most probable one are left out; 0 keeps all. */
  minP?: number;
  /** Logits of tokens that prompt or completion hold are divided by it (multiplied where negative); 1 changes nothing. */
  repetitionPenalty?: number;
  /** End a sample beside the model's own EOS; what ended it stays in its ids. */
  stopIds?: readonly number[];
  stopStrings?: readonly string[];
  maxNewTokens: number;
}

export type FinishReason = 'eos' | 'stop' | 'length';

export interface Sample {
  /** The completion, with the EOS or what else ended it. */
  ids: number[];
  /** Of each id under the model as it is, natural log: before penalty, temperature and truncation. */
  logprobs: number[];
  finish: FinishReason;
}

export interface Completion {
  promptIds: TokenIds;
  completionIds: TokenIds;
}

export interface TokenPair {
  promptIds: TokenIds;
  chosenIds: TokenIds;
  rejectedIds: TokenIds;
}

/** Log-probabilities of a pair's completions, summed over tokens, natural log. */
export interface PairLogps {
  chosen: number;
  rejected: number;
}

export interface ReferencedPair extends TokenPair {
  /** Of the frozen reference; they enter the loss as constants (DPO, arXiv 2305.18290, eq. 7). */
  reference: PairLogps;
  /** Factor of the pair's preference term in the loss; 1 where it is absent. */
  weight?: number;
  /** In place of the settings' one: how probable it is that the preference is the wrong way round. */
  labelSmoothing?: number;
}

export interface DpoSettings {
  learningRate: number;
  beta: number;
  batchSize: number;
  epochs: number;
  /** Ends earlier than the epochs would. */
  maxSteps?: number;
  schedule: 'constant' | 'linear';
  /** Share of the steps over which the learning rate rises from 0. */
  warmupRatio: number;
  order: 'file' | 'shuffled';
  /** Gradients are scaled down to this global norm. */
  maxGradNorm: number;
  labelSmoothing: number;
  /** Weight of the mean negative log-likelihood of the chosen, added to the loss; 0 is plain DPO. */
  sftWeight: number;
  seed: number;
}

/** One optimizer update: the batch's means before the update; `gradNorm` before clipping. */
export interface TrainingStep {
  step: number;
  loss: number;
  chosenReward: number;
  rejectedReward: number;
  margin: number;
  accuracy: number;
  chosenLogps: number;
  rejectedLogps: number;
  gradNorm: number;
  learningRate: number;
  /** Margins of the batch's pairs, for quantiles and p0. */
  margins: number[];
}

/** A loaded model whose weights change under `train`. Everything is released by `dispose`. */
export interface EnginePolicy {
  sample(requests: SampleRequest[], settings: SampleSettings, onProgress?: (done: number) => void): Promise<Sample[]>;
  /** Per-token log-probabilities of each completion given its prompt, natural log. */
  logprobs(completions: Completion[], onProgress?: (done: number) => void): Promise<Float32Array[]>;
  train(
    pairs: ReferencedPair[],
    settings: DpoSettings,
    onStep: (step: TrainingStep, totalSteps: number) => void | Promise<void>,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Writes the weights (or the PEFT adapter) and what else Hugging Face needs to load them, into an existing directory. */
  save(dir: string): Promise<void>;
  dispose(): void;
}

/** What decides how much a step keeps in memory, beside its pairs. */
export interface TrainingBatch {
  dtype: 'fp32' | 'bf16';
  /** Null where all weights are trained. */
  loraRank: number | null;
  batchSize: number;
}

/** What is sampled: so many sequences, and tokens of the longest of their prompts and completions. */
export interface SampledLengths {
  sequences: number;
  promptTokens: number;
  newTokens: number;
}

/** What a run asks of the machine that trains; nothing else knows which engine it is. */
export interface TrainingEngine {
  readonly name: string;
  /**
   * Whether a training can fit in memory whose pairs are at most as long as `longest`, and before it the sampling;
   * nothing is loaded.
   * @throws DriftError `out-of-memory`, with advice
   */
  checkMemory(modelDir: string, size: TrainingBatch, longest: TokenPair, sampled: SampledLengths): Promise<void>;
  load(modelDir: string, options?: LoadOptions): Promise<EnginePolicy>;
}
