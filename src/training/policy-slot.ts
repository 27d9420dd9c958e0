import { DriftError } from '../drift-error.js';
import type { ModelSource } from '../model/model-source.js';
import type { EnginePolicy, TrainingEngine } from './engine/training-engine.js';
import type { RunSettings } from './settings.js';

/** Holds at most one loaded policy, because a second copy of the weights may not fit. */
export class PolicySlot {
  private loaded: { key: string; policy: EnginePolicy } | undefined;

  constructor(
    private readonly engine: TrainingEngine,
    private readonly dtype: RunSettings['dtype'],
  ) {}

  /** The policy, which stays loaded until another is asked for. */
  async use(source: ModelSource): Promise<EnginePolicy> {
    const key = JSON.stringify(source);
    if (this.loaded?.key === key) return this.loaded.policy;
    this.release();
    const policy = await this.engine.load(source.dir, { dtype: this.dtype, lora: source.lora });
    this.loaded = { key, policy };
    return policy;
  }

  /** Lends the policy to work that changes its weights: afterwards it is released, whatever happened. */
  async change<T>(source: ModelSource, work: (policy: EnginePolicy) => Promise<T>): Promise<T> {
    const policy = await this.use(source);
    try {
      return await work(policy);
    } finally {
      this.release();
    }
  }

  release(): void {
    this.loaded?.policy.dispose();
    this.loaded = undefined;
  }
}

/** @throws DriftError `interrupted` once the process was asked to end. */
export function stopIfAsked(signal: AbortSignal): void {
  if (!signal.aborted) return;
  if (signal.reason instanceof DriftError) throw signal.reason;
  throw new DriftError('interrupted', 'Stopped as asked; `driftloop train` goes on from here.', { retriable: true });
}
