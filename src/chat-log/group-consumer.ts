import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Admin, Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from 'kafkajs';
import { untilDone } from '../backoff.js';
import type { OffsetRange } from './consumer-offsets.js';
import { watchClock } from './watch-clock.js';

export interface GroupConsumerOptions {
  kafka: Kafka;
  consumerGroup: string;
  topic: string;
  sessionTimeoutMs: number;
  /** What an error of the brokers means, and what to do about it. */
  explain: (error: unknown) => string;
}

/** What is done with what is consumed. */
export interface GroupConsumerHandler {
  /** Runs to its first `await` before anything is fetched of the partitions. */
  onJoin(partitions: number[]): Promise<void>;
  onBatch(payload: EachBatchPayload): Promise<void>;
  /** Nothing of what was fetched may be gone on with: the consumer leaves its group. */
  onLost(): void;
}

/** Bytes that one fetch takes of a partition; a larger record comes alone. */
const FETCH_BYTES = 2 * 1024 * 1024;
/** How long the broker holds a fetch that finds nothing. */
const FETCH_WAIT_MS = 250;
/** While some partitions wait for PostgreSQL, another one's records are read and classified. */
const CONCURRENT_PARTITIONS = 6;
const RESTART = { firstMs: 1_000, maxMs: 30_000 };

/**
 * A member of the consumer group, for as long as it is wanted: started again where it crashes, where its handler cannot
 * go on, and where the clock steps back. It commits nothing by itself.
 */
export class GroupConsumer {
  /** Of the last one that is still wanted; kafkajs's own cannot be used again after a crash. */
  consumer?: Consumer;
  /** Why it is not in its group. */
  failure?: string = 'has not joined the consumer group';
  readonly heartbeatMs: number;
  private readonly logger = new Logger(GroupConsumer.name);
  private readonly stopping = new AbortController();
  private restarting: Promise<void> = Promise.resolve();
  private clock?: NodeJS.Timeout;
  private admin?: Admin;

  constructor(
    private readonly options: GroupConsumerOptions,
    private readonly handler: GroupConsumerHandler,
  ) {
    this.heartbeatMs = Math.ceil(options.sessionTimeoutMs / 10);
  }

  /** Aborted once the consumer is to stop. */
  get stopped(): AbortSignal {
    return this.stopping.signal;
  }

  /** @throws what kafkajs throws where the brokers cannot be reached; what happens later is tried again */
  async start(): Promise<void> {
    await this.connect();
    this.clock = watchClock((backMs) => this.onClockStep(backMs));
  }

  /** Ends once `onBatch` has ended. `handedOn` is awaited before the last connection is closed. */
  async stop(handedOn: () => Promise<void>): Promise<void> {
    this.stopping.abort();
    clearInterval(this.clock);
    await this.restarting;
    await this.consumer?.disconnect();
    await handedOn();
    await this.admin?.disconnect();
  }

  /** Where the partitions of the topic begin and end, as Kafka says now. */
  async offsetRanges(): Promise<OffsetRange[]> {
    const ranges = (await this.admin?.fetchTopicOffsets(this.options.topic)) ?? [];
    return ranges.map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }));
  }

  /** What is assigned no longer, or not yet, is left alone. */
  pause(partitions: number[]): void {
    try {
      this.consumer?.pause([{ topic: this.options.topic, partitions }]);
    } catch {
      // kafkajs refuses where the consumer is not running: then it fetches nothing.
    }
  }

  /** The error keeps its consumer from going on. */
  startAgain(error: unknown): void {
    this.lose(this.options.explain(error));
    if (this.stopped.aborted) return;
    this.logger.error(`The consumer stopped and is started again: ${this.failure}`);
    this.restart();
  }

  /** Asks again, and says so, until there is an answer; undefined where the consumer stops or `until` ends it. */
  async untilAnswered<T>(what: string, ask: () => Promise<T>, until?: AbortSignal): Promise<T | undefined> {
    const signal = AbortSignal.any([this.stopped, ...(until ? [until] : [])]);
    const onFailure = (error: unknown, waitMs: number) =>
      this.logger.warn(`${what} failed, trying again in ${waitMs} ms: ${this.options.explain(error)}`);
    try {
      return await untilDone(ask, { ...RESTART, signal, onFailure });
    } catch {
      return undefined;
    }
  }

  private async connect(): Promise<void> {
    const { kafka, consumerGroup, topic, sessionTimeoutMs } = this.options;
    // Also what the last consumer joined for meanwhile: it is given up here.
    this.handler.onLost();
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
    consumer.on(consumer.events.CRASH, ({ payload }) => ofThis(() => this.startAgain(payload.error)));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: CONCURRENT_PARTITIONS,
      eachBatch: (payload) => this.handler.onBatch(payload),
    });
  }

  private async onJoin({ payload }: ConsumerGroupJoinEvent): Promise<void> {
    this.failure = undefined;
    await this.handler.onJoin(payload.memberAssignment[this.options.topic] ?? []);
  }

  /** kafkajs beats by the wall clock: until that is where it was, the group would not hear from this member. */
  private onClockStep(backMs: number): void {
    this.logger.warn(`The clock stepped back by ${Math.round(backMs)} ms: the consumer is started again.`);
    this.lose('the clock stepped back');
    this.restart();
  }

  private lose(why: string): void {
    this.failure = why;
    this.handler.onLost();
  }

  /** One start ends before the next begins: a consumer may crash before it has started. */
  private restart(): void {
    this.restarting = this.restarting.then(async () => {
      await sleep(RESTART.firstMs, undefined, { signal: this.stopped }).catch(() => {});
      await this.untilAnswered('The consumer', () => this.connect());
    });
  }
}
