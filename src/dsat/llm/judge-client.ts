import { Logger } from '@nestjs/common';
import { untilDone } from '../../backoff.js';
import type { JudgeSettings } from '../../config/judge-keys.js';
import { DriftError } from '../../drift-error.js';
import { countRequest, countTokens, type RequestOutcome } from '../../metrics/judge-metrics.js';
import { bodyOf, type ChatRequest, requestCompletion, unavailable } from './chat-request.js';
import type { DailyBudget } from './daily-budget.js';

const TRIES = 3;
const BACKOFF = { firstMs: 500, maxMs: 4_000 };
/** So long a judge that failed is not asked again, at least and at most: nobody waits for one that is down. */
const PAUSE = { leastMs: 30_000, mostMs: 600_000 };
/** UTF-8 bytes of a token, at least: what is put aside is rather too much. */
const BYTES_PER_TOKEN = 3;

export interface JudgeClientOptions {
  settings: JudgeSettings;
  budget: Pick<DailyBudget, 'reserve' | 'settle'>;
  backoff?: { firstMs: number; maxMs: number };
  now?: () => number;
}

/** Asks an OpenAI-compatible API within its budget; again where that may help; and not at all for a while after it failed. */
export class JudgeClient {
  private readonly logger = new Logger('judge');
  private pausedUntil = Number.NEGATIVE_INFINITY;
  private overBudget = false;

  constructor(private readonly options: JudgeClientOptions) {}

  get settings(): JudgeSettings {
    return this.options.settings;
  }

  /**
   * The text of an answer.
   * @param deadline when nobody waits for it any more
   * @throws DriftError `judge-unavailable`, `judge-over-budget`
   */
  async complete(request: ChatRequest, deadline: AbortSignal): Promise<string> {
    if (this.now() < this.pausedUntil) throw unavailable('network', false, 'is not asked for a while after it failed');
    let tries = 0;
    const again = (error: unknown) =>
      !deadline.aborted && ++tries < TRIES && mayPass(error) && retryAfterOf(error) <= this.attemptMs;
    const backoff = { ...(this.options.backoff ?? BACKOFF), leastMs: retryAfterOf, onFailure: () => {} };
    try {
      return await untilDone(() => this.attempt(request, deadline), { ...backoff, signal: deadline }, again);
    } catch (error) {
      const failed = deadline.aborted ? unavailable('timeout', false, 'did not answer in time') : error;
      // One that was only begun too late says nothing of the judge.
      const beganLate = deadline.aborted && tries === 0;
      if (isUnavailable(failed) && !beganLate) this.pause(failed);
      throw failed;
    }
  }

  private get attemptMs(): number {
    return this.settings.timeoutMs / 2;
  }

  private now(): number {
    return this.options.now?.() ?? performance.now();
  }

  private async attempt(request: ChatRequest, deadline: AbortSignal): Promise<string> {
    const { settings, budget } = this.options;
    const most = Math.ceil(Buffer.byteLength(bodyOf(settings.model, request)) / BYTES_PER_TOKEN) + request.maxTokens;
    const reservation = await budget.reserve(most);
    this.sayOverBudget(reservation === null);
    if (reservation === null) throw new DriftError('judge-over-budget', "The judge's tokens of today are used up.");
    const startedAt = performance.now();
    const count = (outcome: RequestOutcome) => countRequest(outcome, (performance.now() - startedAt) / 1_000);
    try {
      const signal = AbortSignal.any([deadline, AbortSignal.timeout(this.attemptMs)]);
      const { content, usage } = await requestCompletion(settings, request, signal);
      count('ok');
      if (usage) countTokens(usage.input, usage.output, settings.prices);
      await budget.settle(reservation, usage ? usage.input + usage.output : most);
      return content;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      const outcome = error.facts.outcome as RequestOutcome;
      count(outcome);
      await budget.settle(reservation, isFree(outcome) ? 0 : most);
      throw error;
    }
  }

  private pause(error: DriftError): void {
    // Of requests that fail together the first says so.
    if (this.now() < this.pausedUntil) return;
    const pauseMs = Math.min(PAUSE.mostMs, Math.max(PAUSE.leastMs, retryAfterOf(error)));
    this.pausedUntil = this.now() + pauseMs;
    this.logger.warn(`${error.message} It is not asked for ${pauseMs / 1_000} s.`);
  }

  private sayOverBudget(isOver: boolean): void {
    if (isOver && !this.overBudget) {
      this.logger.warn("The judge's tokens of today are used up: it is not asked any more.");
    }
    this.overBudget = isOver;
  }
}

const isUnavailable = (error: unknown): error is DriftError =>
  error instanceof DriftError && error.code === 'judge-unavailable';
const mayPass = (error: unknown) => isUnavailable(error) && error.retriable;
const retryAfterOf = (error: unknown) => (isUnavailable(error) ? ((error.facts.retryAfterMs as number) ?? 0) : 0);
/** What was refused is not billed; what was cut off may have been. */
const isFree = (outcome: RequestOutcome) => outcome !== 'timeout' && outcome !== 'broken';
