import { hash } from 'node:crypto';
import { DataSource } from 'typeorm';
import type { ServiceConfig } from '../../config/config.module.js';
import { DriftError } from '../../drift-error.js';
import type { EventRecord } from '../../producer/event-record.js';
import { createKafka } from '../kafka-client.js';
import { LazyProducer } from '../lazy-producer.js';
import { answerOnce, type OnceOutcome } from './answer-store.js';
import { sortEvents, type TurnsAnswer, type TurnsRequest } from './turns-request.js';

/** A client waits meanwhile: rather let it send the request again. */
const RETRIES = 2;

/** Produces what comes over HTTP to the topic of chat turns. It connects to Kafka with the first request. */
export class TurnIntake {
  private readonly producer: LazyProducer;
  private readonly topic: string;

  constructor(
    private readonly dataSource: DataSource,
    { kafkaBrokers, topics }: ServiceConfig,
  ) {
    this.producer = new LazyProducer(() => createKafka(kafkaBrokers, 'driftloop-api'), { retry: { retries: RETRIES } });
    this.topic = topics.turns;
  }

  /**
   * @param key the request's Idempotency-Key, which makes it the same request when it comes again
   * @throws DriftError `broker-unavailable`, `database-unavailable`
   */
  async take(request: TurnsRequest, client: string, key?: string): Promise<OnceOutcome> {
    if (key === undefined) return { outcome: 'answered', answer: await this.produce(request) };
    const sha256 = hash('sha256', JSON.stringify(request));
    return answerOnce(this.dataSource, { client, key, sha256 }, () => this.produce(request));
  }

  close(): Promise<void> {
    return this.producer.close();
  }

  private async produce(request: TurnsRequest): Promise<TurnsAnswer> {
    const { items, records } = sortEvents(request);
    if (records.length > 0) await this.send(records);
    return { accepted: records.length, rejected: items.length - records.length, items };
  }

  private async send(records: EventRecord[]): Promise<void> {
    await this.producer.send(this.topic, records).catch((cause: Error) => {
      const message = `Kafka did not take the turns: ${cause.message}. Send the request again.`;
      throw new DriftError('broker-unavailable', message, { cause, retriable: true });
    });
  }
}
