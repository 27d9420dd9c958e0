import { createHmac, hash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ServiceConfig } from '../../config/config.module.js';
import { within } from '../../health/within.js';
import { createKafka } from '../../kafka/kafka-client.js';
import { Redactor } from '../../privacy/redaction.js';
import type { EventRecord } from '../../producer/event-record.js';
import { LazyProducer } from '../lazy-producer.js';
import { answerOnce, type OnceOutcome } from './answer-store.js';
import { notTaken, unavailable } from './not-taken.js';
import { sortEvents, type TurnsAnswer, type TurnsRequest } from './turns-request.js';

/** A client waits meanwhile, and a connection to PostgreSQL is held: rather let it send the request again. */
const SEND_TIMEOUT_MS = 5_000;

/** Produces what comes over HTTP to the topic of chat turns. It connects to Kafka with the first request. */
export class TurnIntake {
  private readonly producer: LazyProducer;
  private readonly topic: string;
  private readonly redactor: Redactor;

  constructor(
    private readonly dataSource: DataSource,
    config: ServiceConfig,
  ) {
    const logger = new Logger('Kafka');
    this.producer = new LazyProducer(() => createKafka(config, { clientId: 'driftloop-api', logger }));
    this.topic = config.topics.turns;
    this.redactor = new Redactor(config.redaction);
  }

  /**
   * @param key the request's Idempotency-Key, which makes it the same request when it comes again
   * @throws DriftError `broker-unavailable`, `database-unavailable`; `record-too-large`, `record-refused` by Kafka
   */
  async take(request: TurnsRequest, apiKey: string, key?: string): Promise<OnceOutcome> {
    if (key === undefined) return { outcome: 'answered', answer: await this.produce(request) };
    const sha256 = createHmac('sha256', apiKey).update(JSON.stringify(request)).digest('hex');
    const identified = { client: hash('sha256', apiKey), key, sha256 };
    return answerOnce(this.dataSource, identified, () => this.produce(request));
  }

  close(): Promise<void> {
    return this.producer.close();
  }

  private async produce(request: TurnsRequest): Promise<TurnsAnswer> {
    const { items, records } = sortEvents(request, this.redactor);
    if (records.length > 0) await this.send(records);
    return { accepted: records.length, rejected: items.length - records.length, items };
  }

  private async send(records: EventRecord[]): Promise<void> {
    const sent = this.producer.send(this.topic, records).then(() => 'sent' as const);
    const outcome = await within(sent, SEND_TIMEOUT_MS, 'late' as const).catch((cause: Error) => {
      throw notTaken(cause);
    });
    if (outcome === 'late') throw unavailable(`no answer within ${SEND_TIMEOUT_MS} ms`);
  }
}
