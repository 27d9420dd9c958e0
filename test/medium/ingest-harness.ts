import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { Kafka, KafkaMessage, Message } from 'kafkajs';
import type { DataSource } from 'typeorm';
import { inject } from 'vitest';
import { ChatLogModule, connectIngest, FIRST_STAGE } from '../../src/chat-log/chat-log.module.js';
import { type SettleOptions, waitUntilSettled } from '../../src/chat-log/settled.js';
import type { TurnEvent } from '../../src/chat-log/turn-event.js';
import { type Config, loadConfig } from '../../src/config/config.js';
import { ConfigModule, type ServiceConfig } from '../../src/config/config.module.js';
import { createDataSource } from '../../src/database/data-source.js';
import { DatabaseModule } from '../../src/database/database.module.js';
import { type ClassifyTools, settleSome } from '../../src/dsat/classify.service.js';
import { HealthModule } from '../../src/health/health.module.js';
import { createKafka } from '../../src/kafka/kafka-client.js';
import { createPrivacy } from '../../src/privacy/privacy.js';
import type { Pseudonyms } from '../../src/privacy/pseudonyms.js';
import { SCRIPTED_VERSION, ScriptedClassifier } from '../factories/scripted-classifier.js';
import { asRecord } from '../factories/turns.js';
import { createTestDatabase, createTestTopics, type TestDatabase, testBrokers, testEnv } from '../stack.js';
import { type StreamTable, streamTables, tableRows } from '../stream-tables.js';

/** A database and topics of its own on real servers, with a real consumer on them. Verdicts are scripted. */
export class IngestHarness {
  private readonly apps: INestApplication[] = [];

  private constructor(
    readonly config: ServiceConfig,
    readonly dataSource: DataSource,
    readonly kafka: Kafka,
    private readonly database: TestDatabase,
  ) {}

  /** @param given environment beside, or instead of, that of all tests */
  static async create(given: Record<string, string> = {}, database?: TestDatabase): Promise<IngestHarness> {
    database ??= await createTestDatabase();
    const env = { KAFKA_BROKERS: testBrokers().join(','), DRIFTLOOP_KAFKA_SESSION_TIMEOUT_MS: '6000', ...given };
    const topics = await createTestTopics(servers(loadConfig(env)));
    const config = servers(loadConfig({ ...testEnv(database, topics, tmpdir()), ...env }));
    const dataSource = await createDataSource(config.databaseUrl).initialize();
    await dataSource.query(`INSERT INTO classifier_versions (version, card) VALUES ($1, '{}')`, [SCRIPTED_VERSION]);
    const kafka = createKafka(config, { clientId: 'test' });
    return new IngestHarness(config, dataSource, kafka, database);
  }

  /** Starts one more consumer of the group; resolves with its application once it listens. */
  async startConsumer(): Promise<INestApplication> {
    const module = await Test.createTestingModule({
      imports: [ConfigModule.forRoot(this.config), DatabaseModule, HealthModule, ChatLogModule],
    })
      .overrideProvider(FIRST_STAGE)
      .useValue(new ScriptedClassifier('first'))
      .compile();
    const app = module.createNestApplication(new FastifyAdapter(), { logger: ['error'] });
    connectIngest(app);
    await app.init();
    await app.startAllMicroservices();
    this.apps.push(app);
    return app;
  }

  async stopConsumer(app: INestApplication): Promise<void> {
    this.apps.splice(this.apps.indexOf(app), 1);
    await app.close();
  }

  async produce(messages: Message[], topic = this.config.topics.turns): Promise<void> {
    const producer = this.kafka.producer();
    await producer.connect();
    for (const message of messages) await producer.send({ topic, messages: [message] });
    await producer.disconnect();
  }

  /** Produces the turns, and waits until they are stored. */
  async ingest(turns: TurnEvent[]): Promise<void> {
    await this.produce(turns.map(asRecord));
    await this.stored();
  }

  get pseudonyms(): Pseudonyms {
    return createPrivacy(this.config).pseudonyms;
  }

  /** Until all that was produced is stored. */
  async stored(): Promise<void> {
    const stop = new AbortController();
    await this.settled(({ behind }) => behind === 0 && stop.abort(), stop.signal).catch((error) => {
      if (!stop.signal.aborted) throw error;
    });
  }

  /** Until no verdict is provisional either. */
  settled(onProgress?: SettleOptions['onProgress'], signal?: AbortSignal): Promise<void> {
    const { topics, consumerGroup } = this.config;
    return waitUntilSettled({
      dataSource: this.dataSource,
      kafka: this.config,
      topic: topics.turns,
      consumerGroup,
      onProgress,
      signal,
    });
  }

  /** Lets a second-stage worker run until nothing is provisional. */
  async settle(tools = this.classifyTools): Promise<void> {
    while ((await settleSome(tools)) > 0);
  }

  get classifyTools(): ClassifyTools {
    return {
      dataSource: this.dataSource,
      secondStage: new ScriptedClassifier('second'),
      batch: 10,
      feedbackEvidence: true,
    };
  }

  rows(table: StreamTable): Promise<Record<string, unknown>[]> {
    return tableRows(this.dataSource, table);
  }

  tables(): ReturnType<typeof streamTables> {
    return streamTables(this.dataSource);
  }

  /** The first `count` records of the topic of dead letters. */
  async deadLetters(count: number): Promise<KafkaMessage[]> {
    const letters: KafkaMessage[] = [];
    const consumer = this.kafka.consumer({ groupId: `reader-${randomBytes(6).toString('hex')}`, maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topics: [this.config.topics.deadLetters], fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => void letters.push(message) });
    while (letters.length < count) await sleep(50);
    await consumer.disconnect();
    return letters;
  }

  /** Cuts all connections to the database and lets nobody in until `use` has ended. */
  async whileDatabaseIsAway(use: () => Promise<void>): Promise<void> {
    const admin = await createDataSource(inject('stack').databaseUrl, 1).initialize();
    const name = new URL(this.database.url).pathname.slice(1);
    await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
    try {
      await use();
    } finally {
      await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      await admin.destroy();
    }
  }

  async stopAll(): Promise<void> {
    for (const app of [...this.apps]) await this.stopConsumer(app);
  }

  async close(): Promise<void> {
    await this.stopAll();
    await this.dataSource.destroy();
    await this.database.drop();
  }
}

/** The configuration of a service whose servers are all configured. */
function servers(config: Config): ServiceConfig {
  const { databaseUrl = '', kafkaBrokers = [] } = config;
  return { ...config, databaseUrl, kafkaBrokers };
}
