import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { uniform } from '../../src/seeds.js';
import type {
  Completion,
  DpoSettings,
  EnginePolicy,
  ReferencedPair,
  SampleRequest,
  SampleSettings,
  TrainingEngine,
  TrainingStep,
} from '../../src/training/engine/training-engine.js';
import { mean } from '../../src/training/statistics.js';

const EOS = 2;
const VOCABULARY = 259;
const WEIGHTS = 'weights.json';

/**
 * The smallest language model there is: one logit a token, whatever comes before. It samples, scores and learns by DPO
 * as a big one does, at once and to the last bit the same, so that what a run does can be tested without TensorFlow.
 */
export class UnigramEngine implements TrainingEngine {
  readonly name = 'unigram';
  /** Calls of all policies so far, and what to do before each: a test throws here. */
  calls = 0;
  loaded = 0;
  /** Pairs that policies were trained on so far. */
  trained: ReferencedPair[] = [];
  beforeCall: (call: number) => void = () => {};
  /** Multiplies the loss of every step: NaN for a run that diverges. */
  lossFactor = 1;
  checkMemory: TrainingEngine['checkMemory'] = async () => {};

  async load(modelDir: string): Promise<EnginePolicy> {
    this.loaded++;
    return new UnigramPolicy(this, modelDir);
  }

  enter(): void {
    this.beforeCall(++this.calls);
  }
}

class UnigramPolicy implements EnginePolicy {
  private readonly logits: number[];

  constructor(
    private readonly engine: UnigramEngine,
    private readonly dir: string,
  ) {
    const file = join(dir, WEIGHTS);
    this.logits = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : initialLogits();
  }

  async sample(requests: SampleRequest[], { temperature, maxNewTokens }: SampleSettings) {
    this.engine.enter();
    const probabilities = softmax(this.logits.map((logit) => logit / Math.max(temperature, 0.01)));
    return requests.map(({ seed }) => {
      const next = uniform(seed);
      const ids: number[] = [];
      while (ids.length < maxNewTokens && ids.at(-1) !== EOS) ids.push(pick(probabilities, next()));
      const logprobs = ids.map((id) => Math.log(softmax(this.logits)[id]!));
      return { ids, logprobs, finish: ids.at(-1) === EOS ? ('eos' as const) : ('length' as const) };
    });
  }

  async logprobs(completions: Completion[]) {
    this.engine.enter();
    const logprobs = softmax(this.logits).map(Math.log);
    return completions.map(({ completionIds }) => Float32Array.from(completionIds, (id) => logprobs[id]!));
  }

  async train(
    pairs: ReferencedPair[],
    settings: DpoSettings,
    onStep: (step: TrainingStep, totalSteps: number) => void | Promise<void>,
  ) {
    this.engine.enter();
    this.engine.trained.push(...pairs);
    const order = Array.from({ length: settings.epochs }, () => pairs).flat();
    const total = Math.ceil(order.length / settings.batchSize);
    for (let step = 1; step <= total; step++) {
      const batch = order.slice((step - 1) * settings.batchSize, step * settings.batchSize);
      const result = this.step(batch, settings);
      await onStep({ ...result, loss: result.loss * this.engine.lossFactor, step }, total);
    }
  }

  private step(batch: ReferencedPair[], { beta, learningRate }: DpoSettings): Omit<TrainingStep, 'step'> {
    const probabilities = softmax(this.logits);
    const score = (ids: readonly number[]) =>
      Math.fround(ids.reduce((sum, id) => sum + Math.fround(Math.log(probabilities[id]!)), 0));
    const rows = batch.map(({ chosenIds, rejectedIds, reference }) => {
      const [chosen, rejected] = [score(chosenIds), score(rejectedIds)];
      const rewards = { chosen: beta * (chosen - reference.chosen), rejected: beta * (rejected - reference.rejected) };
      return { chosen, rejected, rewards, margin: rewards.chosen - rewards.rejected };
    });
    const gradient = new Array<number>(VOCABULARY).fill(0);
    for (const [index, { chosenIds, rejectedIds }] of batch.entries()) {
      const weight = -beta / (1 + Math.exp(rows[index]!.margin)) / batch.length;
      for (const id of chosenIds) gradient[id]! += weight;
      for (const id of rejectedIds) gradient[id]! -= weight;
      const surplus = chosenIds.length - rejectedIds.length;
      for (let id = 0; id < VOCABULARY; id++) gradient[id]! -= weight * surplus * probabilities[id]!;
    }
    for (let id = 0; id < VOCABULARY; id++) this.logits[id]! -= learningRate * gradient[id]!;
    return {
      loss: mean(rows.map(({ margin }) => Math.log1p(Math.exp(-margin)))),
      chosenReward: mean(rows.map(({ rewards }) => rewards.chosen)),
      rejectedReward: mean(rows.map(({ rewards }) => rewards.rejected)),
      margin: mean(rows.map(({ margin }) => margin)),
      accuracy: rows.filter(({ margin }) => margin > 0).length / rows.length,
      chosenLogps: mean(rows.map(({ chosen }) => chosen)),
      rejectedLogps: mean(rows.map(({ rejected }) => rejected)),
      gradNorm: Math.hypot(...gradient),
      learningRate,
      margins: rows.map(({ margin }) => margin),
    };
  }

  async save(dir: string) {
    const companions = readdirSync(this.dir).filter((name) => /^(tokenizer|chat_template)/.test(name));
    for (const name of companions) copyFileSync(join(this.dir, name), join(dir, name));
    writeFileSync(join(dir, WEIGHTS), JSON.stringify(this.logits));
  }

  dispose() {
    this.engine.loaded--;
  }
}

/** Letters and spaces are likely, EOS now and then. */
function initialLogits(): number[] {
  const likely = new Set([...'abcdefghijklmnopqrstuvwxyz'].map((letter) => 3 + letter.charCodeAt(0)));
  return Array.from({ length: VOCABULARY }, (_, id) =>
    likely.has(id) ? 4 : id === 3 + 32 ? 5.5 : id === EOS ? 3 : -8,
  );
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function pick(probabilities: readonly number[], at: number): number {
  let left = at;
  for (const [id, probability] of probabilities.entries()) {
    left -= probability;
    if (left < 0) return id;
  }
  return EOS;
}
