import { Logger } from '@nestjs/common';
import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Admin, Consumer, ConsumerCrashEvent, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from 'kafkajs';
import { lastValueFrom } from 'rxjs';
import { untilDone } from '../backoff.js';
import { forgetPartitions, observeAge, observeLag } from '../metrics/ingest-metrics.js';
import type { OffsetRange, Position } from './consumer-offsets.js';
import { TURN_BATCH } from './ingest.controller.js';
import type { FetchedBatch, IngestOutcome } from './ingest.service.js';

export interface KafkaBatchOptions {
  kafka: Kafka;
  consumerGroup: string;
  topic: string;
  sessionTimeoutMs: number;
  /** Where to read the assigned partitions on from. */
  positions: (partitions: number[], ranges: () => Promise<OffsetRange[]>) => Promise<Position[]>;
}

/** Bytes that one fetch takes of a partition; a larger record comes alone. */
const FETCH_BYTES = 2 * 1024 * 1024;
/** How long the broker holds a fetch that finds nothing. */
const FETCH_WAIT_MS = 250;
/** While one partition waits for PostgreSQL, another one's records are read and classified. */
const CONCURRENT_PARTITIONS = 2;
/** Kafka's own offsets only show the lag to Kafka's tools. */
const COMMIT_INTERVAL_MS = 1_000;
const RESTART = { firstMs: 1_000, maxMs: 30_000 };

/**
 * Nest transport that hands over whole fetched batches, and reads on from where PostgreSQL says.
 *
 * The consumer joins the group with its partitions paused, seeks to their positions, and only then reads. A batch is
 * resolved as far as the handler stored it. Nest turns what a handler throws into an Observable, so its outcome is
 * awaited here; nothing is resolved by itself.
 */
export class KafkaBatchStrategy extends Server implements CustomTransportStrategy {
  override readonly propagatesEventHandlerErrors = true;
  override readonly transportId = Symbol('kafka-batch');

  protected override readonly logger = new Logger(KafkaBatchStrategy.name);
  private readonly stopping = new AbortController();
  /** Where each partition that may be read stands; empty while positions are being asked for. */
  private readonly positions = new Map<number, bigint>();
  private readonly committedAt = new Map<number, number>();
  private assigned: number[] = [];
  private generation = 0;
  private admin?: Admin;
  private consumer?: Consumer;
  private closing?: Promise<void>;

  constructor(private readonly options: KafkaBatchOptions) {
    super();
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      await this.start();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** Ends reading once the transaction in hand has ended. */
  close(): Promise<void> {
    this.closing ??= this.stop();
    return this.closing;
  }

  /** Why no batch can arrive now; undefined where one can. */
  notReadyReason(): string | undefined {
    if (this.generation === 0) return 'has not joined the consumer group';
    if (this.positions.size < this.assigned.length) return 'waits for its positions';
    return undefined;
  }

  on(): never {
    throw new Error('The strategy has no events.');
  }

  unwrap<T>(): T {
    return this.consumer as T;
  }

  private async start(): Promise<void> {
    const { kafka, consumerGroup, topic, sessionTimeoutMs } = this.options;
    this.admin ??= kafka.admin();
    await this.admin.connect();
    await this.consumer?.disconnect();
    this.consumer = kafka.consumer({
      groupId: consumerGroup,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: this.heartbeatMs,
      maxBytesPerPartition: FETCH_BYTES,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      retry: { restartOnFailure: async () => !this.stopping.signal.aborted },
    });
    this.consumer.on(this.consumer.events.GROUP_JOIN, (event) => this.onJoin(event));
    this.consumer.on(this.consumer.events.CRASH, (event) => this.onCrash(event));
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: [topic], fromBeginning: true });
    await this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: CONCURRENT_PARTITIONS,
      eachBatch: (payload) => this.onBatch(payload),
    });
  }

  private async stop(): Promise<void> {
    this.stopping.abort();
    await this.consumer?.disconnect();
    await this.admin?.disconnect();
  }

  private get heartbeatMs(): number {
    return Math.ceil(this.options.sessionTimeoutMs / 10);
  }

  /** Runs to the first `await` before the consumer fetches anything: the partitions are paused by then. */
  private async onJoin({ payload }: ConsumerGroupJoinEvent): Promise<void> {
    this.assigned = payload.memberAssignment[this.options.topic] ?? [];
    this.generation++;
    forgetPartitions();
    await this.takePositions();
  }

  private async takePositions(): Promise<void> {
    const { generation, assigned } = this;
    const { topic } = this.options;
    this.positions.clear();
    this.consumer?.pause([{ topic, partitions: assigned }]);
    const positions = await this.untilAnswered('The positions of the partitions', () =>
      this.options.positions(assigned, () => this.offsetRanges()),
    );
    if (generation !== this.generation || !positions) return;
    for (const position of positions) this.seek(position);
    this.consumer?.resume([{ topic, partitions: assigned }]);
  }

  private seek({ partition, offset, end, outOfRange }: Position): void {
    const { topic } = this.options;
    if (outOfRange !== undefined) {
      this.logger.error(
        `${topic}/${partition} has no offset ${outOfRange}: records were removed unread, or the topic was made again. ` +
          `It is read from its first record, ${offset}; what is stored already is not stored twice.`,
      );
    }
    this.consumer?.seek({ topic, partition, offset: offset.toString() });
    this.positions.set(partition, offset);
    observeLag(topic, partition, end - offset);
  }

  private async offsetRanges(): Promise<OffsetRange[]> {
    const ranges = (await this.admin?.fetchTopicOffsets(this.options.topic)) ?? [];
    return ranges.map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }));
  }

  private async onBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const { generation } = this;
    const position = this.positions.get(batch.partition);
    if (position === undefined || !payload.isRunning() || payload.isStale()) return;
    const beat = new HeartbeatTimer(payload.heartbeat, this.heartbeatMs, this.stopping.signal);
    const { signal } = beat;
    const outcome = await this.handle({ ...this.fetched(payload), position, signal }).finally(() => beat.stop());
    if (generation !== this.generation) return;
    if (outcome.outcome === 'behind') void this.takePositions();
    else if (outcome.nextOffset > position) await this.resolve(payload, outcome.nextOffset);
  }

  private fetched({ batch }: EachBatchPayload): Omit<FetchedBatch, 'position' | 'signal'> {
    const { topic, partition, messages } = batch;
    const source = { consumerGroup: this.options.consumerGroup, topic, partition };
    return { source, messages, nextOffset: BigInt(batch.lastOffset()) + 1n };
  }

  private async handle(batch: FetchedBatch): Promise<IngestOutcome> {
    const handler = this.getHandlerByPattern(TURN_BATCH);
    if (!handler) throw new Error(`Nothing handles ${TURN_BATCH}: ChatLogModule is missing.`);
    return lastValueFrom(this.transformToObservable<IngestOutcome>(await handler(batch)));
  }

  private async resolve(payload: EachBatchPayload, nextOffset: bigint): Promise<void> {
    const { topic, partition, highWatermark, messages } = payload.batch;
    payload.resolveOffset((nextOffset - 1n).toString());
    this.positions.set(partition, nextOffset);
    const lag = BigInt(highWatermark) - nextOffset;
    observeLag(topic, partition, lag);
    observeAge(topic, partition, (Date.now() - Number(messages[0]?.timestamp)) / 1_000);
    if (lag > 0n && Date.now() - (this.committedAt.get(partition) ?? 0) < COMMIT_INTERVAL_MS) return;
    this.committedAt.set(partition, Date.now());
    await this.commit(payload, nextOffset);
  }

  private async commit({ batch, commitOffsetsIfNecessary }: EachBatchPayload, nextOffset: bigint): Promise<void> {
    const partitions = [{ partition: batch.partition, offset: nextOffset.toString() }];
    try {
      await commitOffsetsIfNecessary({ topics: [{ topic: batch.topic, partitions }] });
    } catch (error) {
      this.logger.debug(`The offset of ${batch.topic}/${batch.partition} could not be told to Kafka: ${String(error)}`);
    }
  }

  /** kafkajs restarts by itself after what it calls retriable; after anything else we do. */
  private async onCrash({ payload }: ConsumerCrashEvent): Promise<void> {
    this.generation++;
    this.positions.clear();
    if (payload.restart || this.stopping.signal.aborted) return;
    this.logger.error(`The consumer stopped: ${payload.error.message}. It is started again.`);
    await this.untilAnswered('The consumer', () => this.start());
  }

  private async untilAnswered<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    const onFailure = (error: unknown, waitMs: number) =>
      this.logger.warn(`${what} failed, trying again in ${waitMs} ms: ${String(error)}`);
    try {
      return await untilDone(ask, { ...RESTART, signal: this.stopping.signal, onFailure });
    } catch {
      return undefined;
    }
  }
}

/**
 * Beats while a batch is worked on. A heartbeat that fails means that the group rebalances: the signal then ends the
 * work early, and kafkajs, whose own next heartbeat fails too, joins again.
 */
class HeartbeatTimer {
  private readonly lost = new AbortController();
  private readonly timer: NodeJS.Timeout;
  readonly signal: AbortSignal;

  constructor(heartbeat: () => Promise<void>, everyMs: number, stopping: AbortSignal) {
    this.signal = AbortSignal.any([this.lost.signal, stopping]);
    this.timer = setInterval(() => heartbeat().catch(() => this.lost.abort()), everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
