import { DriftError } from '../../drift-error.js';
import type { Decoder } from '../../model/decoder-layer.js';
import { readEosIds } from '../../model/eos-ids.js';
import { generate } from '../../model/generate.js';
import { completionLogprobs } from '../../model/logprobs.js';
import { createLora } from '../../model/lora.js';
import { MAT_MULS } from '../../model/mat-mul.js';
import { readModelConfig } from '../../model/model-config.js';
import { saveModel } from '../../model/save-model.js';
import { tf } from '../../model/tf.js';
import { trainDpo } from '../../model/train-dpo.js';
import { loadWeights } from '../../model/weights.js';
import type {
  Completion,
  DpoSettings,
  EnginePolicy,
  LoadOptions,
  ReferencedPair,
  Sample,
  SampleRequest,
  SampleSettings,
  TokenIds,
  TrainingStep,
} from './training-engine.js';

/** A model in this process's memory. */
export class TfjsPolicy implements EnginePolicy {
  private constructor(
    private readonly decoder: Decoder,
    private readonly modelDir: string,
    private readonly eosIds: readonly number[],
  ) {}

  /** @throws DriftError `model-invalid`, before any weights are loaded */
  static load(modelDir: string, { dtype = 'fp32', lora }: LoadOptions = {}): TfjsPolicy {
    const config = readModelConfig(modelDir);
    const eosIds = readEosIds(modelDir);
    const adapter = lora === undefined ? null : createLora(config, lora);
    const decoder = { config, weights: loadWeights(modelDir, config), lora: adapter, matMul: MAT_MULS[dtype] };
    return new TfjsPolicy(decoder, modelDir, eosIds);
  }

  async sample(
    requests: SampleRequest[],
    settings: SampleSettings,
    onProgress?: (done: number) => void,
  ): Promise<Sample[]> {
    for (const { promptIds } of requests) this.check(promptIds, settings.maxNewTokens);
    return generate(this.decoder, requests, settings, this.eosIds, onProgress);
  }

  async logprobs(completions: Completion[], onProgress?: (done: number) => void): Promise<Float32Array[]> {
    for (const { promptIds, completionIds } of completions) this.check(promptIds, completionIds.length, completionIds);
    return completionLogprobs(this.decoder, completions, onProgress);
  }

  async train(
    pairs: ReferencedPair[],
    settings: DpoSettings,
    onStep: (step: TrainingStep, totalSteps: number) => void | Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    for (const { promptIds, chosenIds, rejectedIds } of pairs) {
      this.check(promptIds, chosenIds.length, chosenIds);
      this.check(promptIds, rejectedIds.length, rejectedIds);
    }
    await trainDpo(this.decoder, pairs, settings, onStep, signal);
  }

  async save(dir: string): Promise<void> {
    saveModel(this.decoder, this.modelDir, dir);
  }

  dispose(): void {
    tf.dispose([...this.decoder.weights.values(), ...(this.decoder.lora?.weights.values() ?? [])]);
  }

  /** @throws DriftError `record-invalid` for ids the model cannot compute */
  private check(promptIds: TokenIds, newTokens: number, completionIds: TokenIds = []): void {
    const { vocabSize, maxPositions } = this.decoder.config;
    const problem = problemOf(promptIds, newTokens, completionIds, vocabSize, maxPositions);
    if (problem !== null) throw new DriftError('record-invalid', problem);
  }
}

function problemOf(
  promptIds: TokenIds,
  newTokens: number,
  completionIds: TokenIds,
  vocabSize: number,
  maxPositions: number,
): string | null {
  if (promptIds.length === 0) return 'A prompt needs at least one token.';
  if (newTokens === 0) return 'A completion needs at least one token.';
  const length = promptIds.length + newTokens;
  if (length > maxPositions) return `Prompt and completion have ${length} tokens, the model takes ${maxPositions}.`;
  const unknown = [...promptIds, ...completionIds].find((id) => id < 0 || id >= vocabSize);
  return unknown === undefined ? null : `Token id ${unknown} is not in the model's vocabulary of ${vocabSize}.`;
}
