import type { Decoder } from '../../model/decoder.js';
import { readEosIds } from '../../model/eos-ids.js';
import { completionLogprobs } from '../../model/logprobs.js';
import { createLora } from '../../model/lora.js';
import { readModelConfig } from '../../model/model-config.js';
import { generate } from '../../model/sampling/generate.js';
import { saveModel } from '../../model/save-model.js';
import { tf } from '../../model/tf.js';
import { checkCompletion, checkRoom } from '../../model/token-limits.js';
import { Tokenizer } from '../../model/tokenizer.js';
import { checkTokenizer } from '../../model/tokenizer-check.js';
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
    checkTokenizer(modelDir, config);
    const adapter = lora === undefined ? null : createLora(config, lora);
    const decoder = { config, weights: loadWeights(modelDir, config), lora: adapter, dtype };
    return new TfjsPolicy(decoder, modelDir, eosIds);
  }

  async sample(
    requests: SampleRequest[],
    settings: SampleSettings,
    onProgress?: (done: number) => void,
  ): Promise<Sample[]> {
    for (const { promptIds, maxNewTokens } of requests)
      checkRoom(this.decoder.config, promptIds, maxNewTokens ?? settings.maxNewTokens);
    const { decoder, eosIds } = this;
    const tokenizer = settings.stopStrings?.length ? Tokenizer.load(this.modelDir) : null;
    const decode = (ids: readonly number[]) => tokenizer?.decode(ids) ?? '';
    return generate(decoder, requests, settings, { eosIds, decode, onProgress });
  }

  async logprobs(completions: Completion[], onProgress?: (done: number) => void): Promise<Float32Array[]> {
    for (const { promptIds, completionIds } of completions)
      checkCompletion(this.decoder.config, promptIds, completionIds);
    return completionLogprobs(this.decoder, completions, onProgress);
  }

  async train(
    pairs: ReferencedPair[],
    settings: DpoSettings,
    onStep: (step: TrainingStep, totalSteps: number) => void | Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    for (const { promptIds, chosenIds, rejectedIds } of pairs) {
      checkCompletion(this.decoder.config, promptIds, chosenIds);
      checkCompletion(this.decoder.config, promptIds, rejectedIds);
    }
    await trainDpo(this.decoder, pairs, settings, onStep, signal);
  }

  async save(dir: string): Promise<void> {
    saveModel(this.decoder, this.modelDir, dir);
  }

  dispose(): void {
    tf.dispose([...this.decoder.weights.values(), ...(this.decoder.lora?.weights.values() ?? [])]);
  }
}
