import { Logger } from '@nestjs/common';
import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Admin, Consumer, ConsumerCrashEvent, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from 'kafkajs';
import { lastValueFrom } from 'rxjs';
import { untilDone } from '../backoff.js';
import type { StreamLag } from '../dsat/stream-lag.js';
import { countRestart, forgetPartitions, observeAge, observeLag } from '../metrics/ingest-metrics.js';
import type { Pseudonyms } from '../privacy/pseudonyms.js';
import type { AssignedPartitions, AssignedPosition, OffsetRange, Position } from './consumer-offsets.js';
import { HeartbeatTimer } from './heartbeat-timer.js';
import { TURN_BATCH } from './ingest.controller.js';
import type { FetchedBatch, IngestOutcome } from './ingest.service.js';
import { PartitionPositions, restartText } from './partition-positions.js';
import type { Fetched, Reading } from './read-on.js';
import { watchClock } from './watch-clock.js';

export interface KafkaBatchOptions {
  kafka: Kafka;
  consumerGroup: string;
  topic: string;
  sessionTimeoutMs: number;
  lag: StreamLag;
  /** Their key is that of the stored fingerprints. */
  pseudonyms: Pseudonyms;
  /** Where to read the assigned partitions on from. */
  positions: (assigned: Omit<AssignedPartitions, 'consumerGroup' | 'topic'>) => Promise<AssignedPosition[]>;
  /** What an error of the brokers means, and what to do about it. */
  explain: (error: unknown) => string;
}

/** Bytes that one fetch takes of a partition; a larger record comes alone. */
const FETCH_BYTES = 2 * 1024 * 1024;
/** How long the broker holds a fetch that finds nothing. */
const FETCH_WAIT_MS = 250;
/** While some partitions wait for PostgreSQL, another one's records are read and classified. */
const CONCURRENT_PARTITIONS = 6;
/** Kafka's own offsets only show the lag to Kafka's tools. */
const COMMIT_INTERVAL_MS = 1_000;
const RESTART = { firstMs: 1_000, maxMs: 30_000 };

/**
 * Nest transport that hands over whole fetched batches, and reads on from where PostgreSQL says.
 *
 * The consumer joins the group with its partitions paused, seeks to their positions, and only then reads. A batch is
 * resolved as far as the handler stored it. Nest turns what a handler throws into an Observable, so its outcome is
 * awaited here; nothing is resolved by itself.
 *
 * A fetch begins with the last record that is stored: so each one shows that the topic still is the same. When nothing
 * follows that record, the next fetch waits behind it; what that one brings is held until a fetch from the last record
 * has proved it.
 */
export class KafkaBatchStrategy extends Server implements CustomTransportStrategy {
  override readonly propagatesEventHandlerErrors = true;
  override readonly transportId = Symbol('kafka-batch');

  protected override readonly logger = new Logger(KafkaBatchStrategy.name);
  private readonly stopping = new AbortController();
  /** Empty while they are being asked for. */
  private readonly positions: PartitionPositions;
  private asking = new AbortController();
  private taking = Promise.resolve();
  private readonly committedAt = new Map<number, number>();
  private assigned: number[] = [];
  private generation = 0;
  private restarting?: Promise<void>;
  private clock?: NodeJS.Timeout;
  /** Why the consumer is not in its group, where it was or tried to be. */
  private failure?: string;
  private admin?: Admin;
  private consumer?: Consumer;
  private closing?: Promise<void>;

  constructor(private readonly options: KafkaBatchOptions) {
    super();
    this.positions = new PartitionPositions(() => this.offsetRanges(), options.pseudonyms);
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      await this.start();
      this.clock = watchClock((backMs) => this.onClockStep(backMs));
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
    if (this.failure) return this.failure;
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
    await Promise.all([this.consumer?.disconnect(), this.admin?.disconnect()]);
    this.admin = kafka.admin();
    await this.admin.connect();
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
    clearInterval(this.clock);
    await this.restarting;
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
    this.failure = undefined;
    forgetPartitions();
    this.options.lag.forget();
    await this.takePositions();
  }

  /** Nothing is read from here on until the positions are known. One asking ends before the next begins. */
  private takePositions(): Promise<void> {
    this.positions.clear();
    this.consumer?.pause([{ topic: this.options.topic, partitions: this.assigned }]);
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    this.taking = this.taking.then(() => this.takeOnce(signal));
    return this.taking;
  }

  private async takeOnce(signal: AbortSignal): Promise<void> {
    const { generation, assigned } = this;
    const { doubts } = this.positions;
    const { topic } = this.options;
    const ranges = () => this.offsetRanges();
    const ask = () => this.options.positions({ partitions: assigned, doubts, ranges });
    const positions = await this.untilAnswered('The positions of the partitions', ask, signal);
    for (const position of positions ?? []) this.sayRestart(position);
    if (!positions || generation !== this.generation || signal.aborted) return;
    for (const position of positions) this.seek(position);
    this.consumer?.resume([{ topic, partitions: assigned }]);
  }

  private sayRestart(position: AssignedPosition): void {
    const { restart } = position;
    if (!restart) return;
    countRestart(restart.reason);
    this.logger.error(restartText(this.options.topic, position, restart));
  }

  private seek({ partition, nextOffset, last, end }: AssignedPosition): void {
    const { topic } = this.options;
    this.consumer?.seek({ topic, partition, offset: (last?.offset ?? nextOffset).toString() });
    this.positions.set(partition, { nextOffset, last });
    this.sayLag(partition, end - nextOffset);
  }

  private sayLag(partition: number, records: bigint): void {
    this.options.lag.set(partition, Number(records));
    observeLag(this.options.topic, partition, records);
  }

  private async offsetRanges(): Promise<OffsetRange[]> {
    const ranges = (await this.admin?.fetchTopicOffsets(this.options.topic)) ?? [];
    return ranges.map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }));
  }

  private async onBatch(payload: EachBatchPayload): Promise<void> {
    const { partition } = payload.batch;
    const position = this.positions.get(partition);
    if (!position || !payload.isRunning() || payload.isStale()) return;
    const reading = await this.positions.read(partition, position, fetchedOf(payload));
    if (reading.outcome === 'follows') await this.ingest(payload, position, reading);
    else if (reading.outcome === 'unproved') readFrom(payload, position.last!.offset);
    else void this.takePositions();
  }

  private async ingest(payload: EachBatchPayload, position: Position, { messages, nextOffset }: Follows) {
    if (nextOffset <= position.nextOffset) return readFrom(payload, position.nextOffset);
    const { generation } = this;
    const { topic, partition } = payload.batch;
    const beat = new HeartbeatTimer(payload.heartbeat, this.heartbeatMs, this.stopping.signal);
    const source = { consumerGroup: this.options.consumerGroup, topic, partition };
    const { signal } = beat;
    const batch: FetchedBatch = { source, position, messages, nextOffset, signal };
    const outcome = await this.handle(batch).finally(() => beat.stop());
    if (generation !== this.generation) return;
    if (outcome.outcome === 'moved') void this.takePositions();
    else await this.resolve(payload, batch, outcome.position);
  }

  private async handle(batch: FetchedBatch): Promise<IngestOutcome> {
    const handler = this.getHandlerByPattern(TURN_BATCH);
    if (!handler) throw new Error(`Nothing handles ${TURN_BATCH}: ChatLogModule is missing.`);
    return lastValueFrom(this.transformToObservable<IngestOutcome>(await handler(batch)));
  }

  private async resolve(payload: EachBatchPayload, { messages }: FetchedBatch, position: Position): Promise<void> {
    const { topic, partition, highWatermark } = payload.batch;
    const { nextOffset, last } = position;
    const lag = BigInt(highWatermark) - nextOffset;
    readFrom(payload, lag > 0n && last ? last.offset : nextOffset);
    this.positions.set(partition, position);
    this.sayLag(partition, lag);
    if (messages[0]) observeAge(topic, partition, (Date.now() - Number(messages[0].timestamp)) / 1_000);
    if (lag > 0n && performance.now() - (this.committedAt.get(partition) ?? -COMMIT_INTERVAL_MS) < COMMIT_INTERVAL_MS)
      return;
    this.committedAt.set(partition, performance.now());
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
    this.failure = this.options.explain(payload.error);
    if (payload.restart || this.stopping.signal.aborted) return;
    this.logger.error(`The consumer stopped and is started again: ${this.failure}`);
    await this.restart();
  }

  /** kafkajs beats by the wall clock: until that is where it was, the group would not hear from this member. */
  private onClockStep(backMs: number): void {
    this.logger.warn(`The clock stepped back by ${Math.round(backMs)} ms: the consumer is started again.`);
    this.generation++;
    this.positions.clear();
    void this.restart();
  }

  private restart(): Promise<void> {
    this.restarting ??= this.untilAnswered('The consumer', () => this.start()).finally(() => {
      this.restarting = undefined;
    });
    return this.restarting;
  }

  private async untilAnswered<T>(what: string, ask: () => Promise<T>, until?: AbortSignal): Promise<T | undefined> {
    const signal = AbortSignal.any([this.stopping.signal, ...(until ? [until] : [])]);
    const onFailure = (error: unknown, waitMs: number) =>
      this.logger.warn(`${what} failed, trying again in ${waitMs} ms: ${this.options.explain(error)}`);
    try {
      return await untilDone(ask, { ...RESTART, signal, onFailure });
    } catch {
      return undefined;
    }
  }
}

type Follows = Extract<Reading, { outcome: 'follows' }>;

function fetchedOf({ batch }: EachBatchPayload): Fetched {
  // kafkajs has it, its types do not.
  const { fetchedOffset } = batch as typeof batch & { fetchedOffset: string };
  return { from: BigInt(fetchedOffset), messages: batch.messages, nextOffset: BigInt(batch.lastOffset()) + 1n };
}

/** Makes the next fetch begin at the offset. */
function readFrom(payload: EachBatchPayload, offset: bigint): void {
  payload.resolveOffset((offset - 1n).toString());
}
