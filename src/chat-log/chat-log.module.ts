import { type INestApplication, Logger, Module, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Kafka } from 'kafkajs';
import { DataSource } from 'typeorm';
import { CONFIG, type ServiceConfig } from '../config/config.module.js';
import { BacklogLimit } from '../dsat/backlog-limit.js';
import { loadFirstStage } from '../dsat/cascade.js';
import { registerClassifier } from '../dsat/classifier-version.js';
import { StreamLag, StreamLagModule } from '../dsat/stream-lag.js';
import type { Classifier } from '../dsat/verdict.js';
import { provisionalUpTo } from '../dsat/verdict-rows.js';
import { ExportCleaner } from '../erasure/export-cleaner.js';
import { Readiness } from '../health/readiness.js';
import { explainBrokerError } from '../kafka/broker-error.js';
import { createKafka } from '../kafka/kafka-client.js';
import { createPrivacy, type Privacy, privacySettings } from '../privacy/privacy.js';
import { requireOwnKey } from '../privacy/require-own-key.js';
import { takePositions } from './consumer-offsets.js';
import { DeadLetterProducer } from './dead-letter.producer.js';
import { IngestController } from './ingest.controller.js';
import { IngestService } from './ingest.service.js';
import { KafkaBatchStrategy } from './kafka-batch.strategy.js';
import { RecordReader } from './record-reader.js';

/** Injection token of the `Classifier` that judges within the Kafka batch. */
export const FIRST_STAGE = Symbol('FIRST_STAGE');

/** Injection token of the `Privacy` of the service. */
const PRIVACY = Symbol('PRIVACY');

/** The `ingest` role: Kafka to turns, first-stage verdicts, anchors and seed pairs. */
@Module({
  imports: [StreamLagModule],
  controllers: [IngestController],
  providers: [
    {
      provide: Kafka,
      inject: [CONFIG],
      useFactory: (config: ServiceConfig) => createKafka(config, { logger: new Logger('Kafka') }),
    },
    {
      provide: DeadLetterProducer,
      inject: [Kafka, CONFIG],
      useFactory: (kafka: Kafka, { topics }: ServiceConfig) => new DeadLetterProducer(kafka, topics.deadLetters),
    },
    {
      provide: RecordReader,
      inject: [CONFIG],
      useFactory: (config: ServiceConfig) => new RecordReader(privacySettings(config)),
    },
    {
      provide: ExportCleaner,
      inject: [DataSource, PRIVACY],
      useFactory: (dataSource: DataSource, { pseudonyms }: Privacy) => new ExportCleaner(dataSource, pseudonyms),
    },
    { provide: PRIVACY, inject: [CONFIG], useFactory: (config: ServiceConfig) => createPrivacy(config) },
    { provide: FIRST_STAGE, inject: [DataSource], useFactory: firstStage },
    {
      provide: IngestService,
      inject: [DataSource, DeadLetterProducer, FIRST_STAGE, RecordReader, PRIVACY, CONFIG, StreamLag, ExportCleaner],
      useFactory: async (
        dataSource: DataSource,
        deadLetters: DeadLetterProducer,
        firstStage: Classifier,
        reader: RecordReader,
        privacy: Privacy,
        config: ServiceConfig,
        lag: StreamLag,
        exports: ExportCleaner,
      ) => {
        await requireOwnKey(dataSource, privacy.pseudonyms);
        const backlog = backlogLimit(dataSource, config, lag);
        return new IngestService({
          dataSource,
          deadLetters,
          firstStage,
          privacy,
          reader,
          backlog,
          exports,
          feedbackEvidence: config.feedbackEvidence,
        });
      },
    },
    {
      provide: KafkaBatchStrategy,
      inject: [Kafka, DataSource, PRIVACY, CONFIG, StreamLag],
      useFactory: createStrategy,
    },
  ],
})
export class ChatLogModule implements OnModuleInit, OnModuleDestroy {
  constructor(
    private readonly strategy: KafkaBatchStrategy,
    private readonly reader: RecordReader,
    private readonly deadLetters: DeadLetterProducer,
    private readonly exports: ExportCleaner,
    private readonly readiness: Readiness,
  ) {}

  onModuleInit(): void {
    this.readiness.add('consumer', async () => this.strategy.notReadyReason());
    this.exports.resume();
  }

  /** Before TypeORM closes the DataSource: the transaction in hand ends, the consumer leaves the group. */
  async onModuleDestroy(): Promise<void> {
    await this.strategy.close();
    await this.reader.close();
    await this.deadLetters.close();
    await this.exports.close();
  }
}

async function firstStage(dataSource: DataSource): Promise<Classifier> {
  await registerClassifier(dataSource);
  return loadFirstStage();
}

function backlogLimit(dataSource: DataSource, { provisionalLimit }: ServiceConfig, lag: StreamLag): BacklogLimit {
  const count = (atMost: number) => provisionalUpTo(dataSource, atMost);
  return new BacklogLimit({ limit: provisionalLimit, count, lag });
}

function createStrategy(
  kafka: Kafka,
  dataSource: DataSource,
  { pseudonyms }: Privacy,
  config: ServiceConfig,
  lag: StreamLag,
): KafkaBatchStrategy {
  const { consumerGroup, topics, kafkaSessionTimeoutMs: sessionTimeoutMs } = config;
  return new KafkaBatchStrategy({
    kafka,
    consumerGroup,
    topic: topics.turns,
    sessionTimeoutMs,
    lag,
    pseudonyms,
    explain: (error) => explainBrokerError(error, config.kafkaSecurity),
    positions: (assigned) => takePositions(dataSource, { consumerGroup, topic: topics.turns, ...assigned }),
  });
}

/** Makes the application consume chat turns once `startAllMicroservices` is called. Needs `ChatLogModule` among its modules, and the topics. */
export function connectIngest(app: INestApplication): void {
  app.connectMicroservice({ strategy: app.get(KafkaBatchStrategy, { strict: false }) });
}
