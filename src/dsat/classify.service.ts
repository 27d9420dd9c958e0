import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { recordFinal } from '../anchor/record-final.js';
import { untilDone } from '../backoff.js';
import { lockConversations } from '../database/conversation-lock.js';
import { countSettled, type SettledCounts } from '../metrics/ingest-metrics.js';
import { unlessAborted } from '../unless-aborted.js';
import { joinEvidence } from './evidence/join-evidence.js';
import type { StreamLag } from './stream-lag.js';
import type { Classifier } from './verdict.js';
import { type JudgedTurn, takeProvisional, updateVerdicts } from './verdict-rows.js';

/** How long an idle worker waits before it looks again: at first, and at most. */
const IDLE = { firstMs: 50, maxMs: 1_000 };
/**
 * While the stream is behind, the second stage takes this part of the time, and so many verdicts at once: what reads the
 * stream shares its processor.
 */
const BESIDE_STREAM = { share: 0.1, batch: 2 };
const OUTAGE = { firstMs: 500, maxMs: 30_000 };

export interface ClassifyTools {
  dataSource: DataSource;
  secondStage: Classifier;
  /** Verdicts that one transaction settles. */
  batch: number;
  /** Whether feedback on a reply is joined to the verdict of the turn after it. */
  feedbackEvidence: boolean;
  /** The stream that the same process reads. */
  lag?: Pick<StreamLag, 'isBehind'>;
}

/** Settles provisional verdicts until it is stopped. Any number of workers may run beside each other. */
export class ClassifyService {
  private readonly logger = new Logger(ClassifyService.name);
  private readonly stopping = new AbortController();
  private working?: Promise<void>;

  constructor(private readonly tools: ClassifyTools) {}

  start(): void {
    this.working ??= this.work();
  }

  /** Resolves once the transaction in hand has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.working;
  }

  private async work(): Promise<void> {
    const { signal } = this.stopping;
    let idleMs = IDLE.firstMs;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const settled = await this.settle(signal);
      if (settled > 0) {
        idleMs = IDLE.firstMs;
        await this.yieldToStream(performance.now() - startedAt);
      } else {
        await sleep(idleMs, undefined, { signal }).catch(() => {});
        idleMs = Math.min(idleMs * 2, IDLE.maxMs);
      }
    }
  }

  private async yieldToStream(workedMs: number): Promise<void> {
    const { signal } = this.stopping;
    const until = performance.now() + workedMs * (1 / BESIDE_STREAM.share - 1);
    while (this.tools.lag?.isBehind && performance.now() < until) {
      await sleep(IDLE.firstMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
    }
  }

  private async settle(signal: AbortSignal): Promise<number> {
    const onFailure = (error: unknown, waitMs: number) =>
      this.logger.warn(`Verdicts could not be settled, trying again in ${waitMs} ms: ${String(error)}`);
    try {
      return await untilDone(() => settleSome(this.tools, signal), { ...OUTAGE, signal, onFailure });
    } catch (error) {
      if (signal.aborted) return 0;
      throw error;
    }
  }
}

/**
 * Settles one batch of provisional verdicts in one transaction: the second stage's verdict, and what follows from it.
 * Returns how many; 0 where there are none that another worker does not hold.
 * @param signal gives the batch up, for another worker, while it is being classified
 */
export async function settleSome(tools: ClassifyTools, signal?: AbortSignal): Promise<number> {
  const { dataSource, secondStage, feedbackEvidence, lag } = tools;
  const batch = lag?.isBehind ? Math.min(tools.batch, BESIDE_STREAM.batch) : tools.batch;
  const startedAt = performance.now();
  const counts = await dataSource.transaction('READ COMMITTED', async (manager): Promise<SettledCounts | undefined> => {
    const taken = await takeProvisional(manager, batch);
    if (taken.length === 0) return undefined;
    signal?.throwIfAborted();
    const classified = secondStage.classify(taken.map(({ exchange }) => exchange));
    const verdicts = await (signal ? unlessAborted(classified, signal) : classified);
    const settled: JudgedTurn[] = taken.map((turn, index) => ({
      ...turn,
      verdict: { ...verdicts[index]!, status: 'final' },
    }));
    await lockConversations(
      manager,
      settled.map(({ conversationId }) => conversationId),
    );
    const judged = feedbackEvidence ? await joinEvidence(manager, settled) : settled;
    await updateVerdicts(manager, judged);
    return { verdicts: judged.map(({ verdict }) => verdict), ...(await recordFinal(manager, judged)) };
  });
  if (!counts) return 0;
  countSettled(counts, (performance.now() - startedAt) / 1_000);
  return counts.verdicts.length;
}
