import { Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CONFIG, type ServiceConfig } from '../config/config.module.js';
import { loadSecondStage } from './cascade.js';
import { registerClassifier } from './classifier-version.js';
import { ClassifyService } from './classify.service.js';
import { withJudge } from './judge/create-judge.js';
import { StreamLag, StreamLagModule } from './stream-lag.js';

/** The `classify` role: settles provisional verdicts with the second stage, and a judge where one is configured. */
@Module({
  imports: [StreamLagModule],
  providers: [
    {
      provide: ClassifyService,
      inject: [DataSource, CONFIG, StreamLag],
      useFactory: async (dataSource: DataSource, config: ServiceConfig, lag: StreamLag) => {
        const encoder = loadSecondStage();
        encoder.prepare();
        const secondStage = await withJudge(dataSource, config, encoder);
        return new ClassifyService({
          dataSource,
          secondStage,
          batch: config.classifyBatch,
          feedbackEvidence: config.feedbackEvidence,
          lag,
        });
      },
    },
  ],
})
export class DsatModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    private readonly dataSource: DataSource,
    private readonly worker: ClassifyService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await registerClassifier(this.dataSource);
    this.worker.start();
  }

  /** Before TypeORM closes the DataSource. */
  async onModuleDestroy(): Promise<void> {
    await this.worker.stop();
  }
}
