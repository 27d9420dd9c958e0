import { Module, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CONFIG, type ServiceConfig } from '../../config/config.module.js';
import { TurnIntake } from './turn-intake.js';
import { TurnsController } from './turns.controller.js';

/** `POST /v1/turns`, a part of the API. It knows Kafka only where an API key is configured. */
@Module({
  controllers: [TurnsController],
  providers: [
    {
      provide: TurnIntake,
      inject: [DataSource, CONFIG],
      useFactory: (dataSource: DataSource, config: ServiceConfig) => new TurnIntake(dataSource, config),
    },
  ],
})
export class HttpIngestModule implements OnModuleDestroy {
  constructor(private readonly intake: TurnIntake) {}

  async onModuleDestroy(): Promise<void> {
    await this.intake.close();
  }
}
