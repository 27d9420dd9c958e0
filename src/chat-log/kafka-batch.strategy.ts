import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Admin, Consumer, ConsumerCrashEvent, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from 'kafkajs';
import { lastValueFrom } from 'rxjs';
import { untilDone } from '../backoff.js';
import type { StreamLag } from '../dsat/stream-lag.js';
import { countRestart } from '../metrics/ingest-metrics.js';
import type { Pseudonyms } from '../privacy/pseudonyms.js';
import {
  type AssignedPartitions,
  type AssignedPosition,
  type OffsetRange,
  type Position,
  samePosition,
} from './consumer-offsets.js';
import { HeartbeatTimer } from './heartbeat-timer.js';
import { TURN_BATCH } from './ingest.controller.js';
import type { FetchedBatch, IngestOutcome } from './ingest.service.js';
import { OffsetReports } from './offset-reports.js';
import { PartitionPositions, restartText } from './partition-positions.js';
import { type Fetched, positionAfter, type Reading } from './read-on.js';
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
/** How old the lag may be that the metrics show. */
const LAG_MS = 2_000;
const RESTART = { firstMs: 1_000, maxMs: 30_000 };

/**
 * Nest transport that hands over whole fetched batches, and reads on from where PostgreSQL says.
 *
 * The consumer joins the group with its partitions paused, seeks to their positions, and only then reads. Where records
 * follow those of a batch, they are fetched while it is stored, and then wait for it: kafkajs fetches nothing while it
 * waits for a batch. What comes of a batch other than that all of it is stored has the positions asked for again.
 *
 * A fetch begins with the last record that was read: so each one shows that the topic still is the same. When nothing
 * follows that record, the next fetch waits behind it; what that one brings is held until a fetch from the last record
 * has proved it.
 */
export class KafkaBatchStrategy extends Server implements CustomTransportStrategy {
  override readonly propagatesEventHandlerErrors = true;
  override readonly transportId = Symbol('kafka-batch');

  protected override readonly logger = new Logger(KafkaBatchStrategy.name);
  private readonly stopping = new AbortController();
  private readonly reports: OffsetReports;
  /** How far each partition is read; empty while that is being asked for. */
  private readonly positions: PartitionPositions;
  /** Ends the work on what was read when that is not to go on from there. */
  private reading = new AbortController();
  private taking = Promise.resolve();
  /** The batch of each partition that is being stored. */
  private readonly storing = new Map<number, Promise<void>>();
  private assigned: number[] = [];
  private restarting: Promise<void> = Promise.resolve();
  private clock?: NodeJS.Timeout;
  /** Why the consumer is not in its group. */
  private failure?: string = 'has not joined the consumer group';
  private admin?: Admin;
  private consumer?: Consumer;
  private closing?: Promise<void>;

  constructor(private readonly options: KafkaBatchOptions) {
    super();
    this.reports = new OffsetReports(options.topic, options.lag);
    this.positions = new PartitionPositions(() => this.offsetRanges(), options.pseudonyms);
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      await this.start();
      this.clock = watchClock((backMs) => this.onClockStep(backMs));
      void this.watchLag();
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
    const consumer = kafka.consumer({
      groupId: consumerGroup,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: this.heartbeatMs,
      maxBytesPerPartition: FETCH_BYTES,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      // A consumer that starts itself again cannot be stopped while it does: it would join after it was given up.
      retry: { restartOnFailure: async () => false },
    });
    this.consumer = consumer;
    const ofThis = async (act: () => unknown) => {
      if (consumer === this.consumer) await act();
    };
    consumer.on(consumer.events.GROUP_JOIN, (event) => ofThis(() => this.onJoin(event)));
    consumer.on(consumer.events.CRASH, (event) => ofThis(() => this.onCrash(event)));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: CONCURRENT_PARTITIONS,
      eachBatch: (payload) => this.onBatch(payload),
    });
  }

  private async stop(): Promise<void> {
    this.stopping.abort();
    this.stopReading();
    clearInterval(this.clock);
    await this.restarting;
    await this.consumer?.disconnect();
    await this.allStored();
    await this.admin?.disconnect();
  }

  private async allStored(): Promise<void> {
    await Promise.all(this.storing.values());
  }

  private get heartbeatMs(): number {
    return Math.ceil(this.options.sessionTimeoutMs / 10);
  }

  /** Runs to the first `await` before the consumer fetches anything: the partitions are paused by then. */
  private async onJoin({ payload }: ConsumerGroupJoinEvent): Promise<void> {
    this.assigned = payload.memberAssignment[this.options.topic] ?? [];
    this.failure = undefined;
    this.reports.forget();
    await this.takePositions();
  }

  /** Nothing is read from here on until the positions are known. One asking ends before the next begins. */
  private takePositions(): Promise<void> {
    this.stopReading();
    this.consumer?.pause([{ topic: this.options.topic, partitions: this.assigned }]);
    const { signal } = this.reading;
    this.taking = this.taking.then(() => this.takeOnce(signal));
    return this.taking;
  }

  private stopReading(): void {
    this.positions.clear();
    this.reading.abort();
    this.reading = new AbortController();
  }

  private async takeOnce(signal: AbortSignal): Promise<void> {
    await this.allStored();
    const { assigned } = this;
    const { doubts } = this.positions;
    const { topic } = this.options;
    const ranges = () => this.offsetRanges();
    const ask = () => this.options.positions({ partitions: assigned, doubts, ranges });
    const positions = await this.untilAnswered('The positions of the partitions', ask, signal);
    for (const position of positions ?? []) this.sayRestart(position);
    if (!positions || signal.aborted) return;
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
    this.reports.sayStored(partition, nextOffset, end);
  }

  /** Also while nothing is stored, so that the metrics show it. What Kafka does not answer the consumer says anyway. */
  private async watchLag(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      if (!this.failure)
        await this.offsetRanges().then(
          (ranges) => this.reports.sayEnds(ranges),
          () => {},
        );
      await sleep(LAG_MS, undefined, { signal }).catch(() => {});
    }
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
    if (this.positions.get(partition) !== position) return;
    if (reading.outcome === 'follows') await this.goOn(payload, position, reading);
    else if (reading.outcome === 'unproved') readFrom(payload, position.last!.offset);
    else void this.takePositions();
  }

  /**
   * Stores the records. It resolves, so that kafkajs fetches on, once the ones before are stored; where nothing followed
   * when these were fetched, once these are: what comes meanwhile is then taken at once, sooner than in parts that wait.
   */
  private async goOn(payload: EachBatchPayload, position: Position, { messages, nextOffset }: Follows): Promise<void> {
    if (nextOffset <= position.nextOffset) return readFrom(payload, position.nextOffset);
    const { topic, partition, highWatermark } = payload.batch;
    this.reports.sayEnds([{ partition, high: BigInt(highWatermark) }]);
    const end = positionAfter(position, messages, nextOffset, this.options.pseudonyms);
    this.positions.set(partition, end);
    readFrom(payload, end.last?.offset ?? nextOffset);
    const source = { consumerGroup: this.options.consumerGroup, topic, partition };
    const before = this.storing.get(partition);
    const storing = this.store(payload, { source, position, messages, nextOffset, before }, end);
    this.storing.set(partition, storing);
    await (BigInt(highWatermark) > nextOffset ? before : storing);
  }

  private async store(payload: EachBatchPayload, records: Omit<FetchedBatch, 'signal'>, end: Position): Promise<void> {
    const { signal } = this.reading;
    const beat = new HeartbeatTimer(payload.heartbeat, this.heartbeatMs, signal);
    try {
      const outcome = await this.handle({ ...records, signal: beat.signal });
      if (signal.aborted) return;
      if (outcome.outcome === 'stored' && samePosition(outcome.position, end)) await this.reports.say(payload, records);
      else void this.takePositions();
    } catch (error) {
      if (signal.aborted) return;
      this.startAgain(error);
    } finally {
      beat.stop();
    }
  }

  private async handle(batch: FetchedBatch): Promise<IngestOutcome> {
    const handler = this.getHandlerByPattern(TURN_BATCH);
    if (!handler) throw new Error(`Nothing handles ${TURN_BATCH}: ChatLogModule is missing.`);
    // Nest turns what a handler throws into an Observable.
    return lastValueFrom(this.transformToObservable<IngestOutcome>(await handler(batch)));
  }

  private onCrash({ payload }: ConsumerCrashEvent): void {
    this.startAgain(payload.error);
  }

  private startAgain(error: unknown): void {
    this.stopReading();
    this.failure = this.options.explain(error);
    if (this.stopping.signal.aborted) return;
    this.logger.error(`The consumer stopped and is started again: ${this.failure}`);
    this.restart();
  }

  /** kafkajs beats by the wall clock: until that is where it was, the group would not hear from this member. */
  private onClockStep(backMs: number): void {
    this.logger.warn(`The clock stepped back by ${Math.round(backMs)} ms: the consumer is started again.`);
    this.stopReading();
    this.restart();
  }

  /** One start ends before the next begins: a consumer may crash before it has started. */
  private restart(): void {
    this.restarting = this.restarting.then(async () => {
      await sleep(RESTART.firstMs, undefined, { signal: this.stopping.signal }).catch(() => {});
      await this.untilAnswered('The consumer', () => this.start());
    });
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
