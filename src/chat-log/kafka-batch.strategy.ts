import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { EachBatchPayload } from 'kafkajs';
import { lastValueFrom } from 'rxjs';
import type { StreamLag } from '../dsat/stream-lag.js';
import { countRestart } from '../metrics/ingest-metrics.js';
import type { Pseudonyms } from '../privacy/pseudonyms.js';
import { type AssignedPartitions, type AssignedPosition, type Position, samePosition } from './consumer-offsets.js';
import { GroupConsumer, type GroupConsumerHandler, type GroupConsumerOptions } from './group-consumer.js';
import { HeartbeatTimer } from './heartbeat-timer.js';
import { TURN_BATCH } from './ingest.controller.js';
import type { FetchedBatch, IngestOutcome } from './ingest.service.js';
import { OffsetReports } from './offset-reports.js';
import { PartitionPositions, restartText } from './partition-positions.js';
import { type Fetched, positionAfter, type Reading } from './read-on.js';

export interface KafkaBatchOptions extends GroupConsumerOptions {
  lag: StreamLag;
  /** Their key is that of the stored fingerprints. */
  pseudonyms: Pseudonyms;
  /** Where to read the assigned partitions on from. */
  positions: (assigned: Omit<AssignedPartitions, 'consumerGroup' | 'topic'>) => Promise<AssignedPosition[]>;
}

/** How old the lag may be that the metrics show. */
const LAG_MS = 2_000;

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
export class KafkaBatchStrategy extends Server implements CustomTransportStrategy, GroupConsumerHandler {
  override readonly propagatesEventHandlerErrors = true;
  override readonly transportId = Symbol('kafka-batch');

  protected override readonly logger = new Logger(KafkaBatchStrategy.name);
  private readonly member: GroupConsumer;
  private readonly reports: OffsetReports;
  /** How far each partition is read; empty while that is being asked for. */
  private readonly positions: PartitionPositions;
  /** Ends the work on what was read when that is not to go on from there. */
  private reading = new AbortController();
  private taking = Promise.resolve();
  /** The batch of each partition that is being stored. */
  private readonly storing = new Map<number, Promise<void>>();
  private assigned: number[] = [];
  private closing?: Promise<void>;

  constructor(private readonly options: KafkaBatchOptions) {
    super();
    this.member = new GroupConsumer(options, this);
    this.reports = new OffsetReports(options.topic, options.lag);
    this.positions = new PartitionPositions(() => this.member.offsetRanges(), options.pseudonyms);
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      await this.member.start();
      void this.watchLag();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** Ends reading once the transaction in hand has ended. */
  close(): Promise<void> {
    this.onLost();
    this.closing ??= this.member.stop(() => this.allStored());
    return this.closing;
  }

  /** Why no batch can arrive now; undefined where one can. */
  notReadyReason(): string | undefined {
    if (this.member.failure) return this.member.failure;
    if (this.positions.size < this.assigned.length) return 'waits for its positions';
    return undefined;
  }

  on(): never {
    throw new Error('The strategy has no events.');
  }

  unwrap<T>(): T {
    return this.member.consumer as T;
  }

  private async allStored(): Promise<void> {
    await Promise.all(this.storing.values());
  }

  /** The partitions are paused before anything is fetched of them. */
  async onJoin(partitions: number[]): Promise<void> {
    this.assigned = partitions;
    this.reports.forget();
    await this.takePositions();
  }

  /** Nothing is read from here on until the positions are known. One asking ends before the next begins. */
  private takePositions(): Promise<void> {
    this.stopReading();
    const { signal } = this.reading;
    // kafkajs refuses where this consumer ends meanwhile; the next one takes its own.
    this.taking = this.taking
      .then(() => this.takeOnce(signal))
      .catch((error) => this.logger.warn(`The positions were not taken: ${this.options.explain(error)}`));
    return this.taking;
  }

  /** The second stage then waits for no stream: how far that is nobody knows. */
  onLost(): void {
    this.stopReading();
    this.options.lag.forget();
  }

  private stopReading(): void {
    this.member.pause(this.assigned);
    this.positions.clear();
    this.reading.abort();
    this.reading = new AbortController();
  }

  private async takeOnce(signal: AbortSignal): Promise<void> {
    await this.allStored();
    const { assigned } = this;
    const { doubts } = this.positions;
    const { topic } = this.options;
    const ranges = () => this.member.offsetRanges();
    const ask = () => this.options.positions({ partitions: assigned, doubts, ranges });
    const positions = await this.member.untilAnswered('The positions of the partitions', ask, signal);
    for (const position of positions ?? []) this.sayRestart(position);
    if (!positions || signal.aborted) return;
    for (const position of positions) this.seek(position);
    this.member.consumer?.resume([{ topic, partitions: assigned }]);
  }

  private sayRestart(position: AssignedPosition): void {
    const { restart } = position;
    if (!restart) return;
    countRestart(restart.reason);
    this.logger.error(restartText(this.options.topic, position, restart));
  }

  private seek({ partition, nextOffset, last, end }: AssignedPosition): void {
    const { topic } = this.options;
    this.member.consumer?.seek({ topic, partition, offset: (last?.offset ?? nextOffset).toString() });
    this.positions.set(partition, { nextOffset, last });
    this.reports.sayStored(partition, nextOffset, end);
  }

  /** Also while nothing is stored, so that the metrics show it. What Kafka does not answer the consumer says anyway. */
  private async watchLag(): Promise<void> {
    const { stopped } = this.member;
    while (!stopped.aborted) {
      if (!this.member.failure)
        await this.member.offsetRanges().then(
          (ranges) => this.reports.sayEnds(ranges),
          () => {},
        );
      await sleep(LAG_MS, undefined, { signal: stopped }).catch(() => {});
    }
  }

  async onBatch(payload: EachBatchPayload): Promise<void> {
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
    const beat = new HeartbeatTimer(payload.heartbeat, this.member.heartbeatMs, signal);
    try {
      const outcome = await this.handle({ ...records, signal: beat.signal });
      if (signal.aborted) return;
      if (outcome.outcome === 'stored' && samePosition(outcome.position, end)) await this.reports.say(payload, records);
      else void this.takePositions();
    } catch (error) {
      if (signal.aborted) return;
      // Nothing that was to be expected: those are waited for.
      this.logger.error(error);
      this.member.startAgain(error);
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
