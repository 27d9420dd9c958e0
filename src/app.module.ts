import { type DynamicModule, Module } from '@nestjs/common';
import { ApiModule } from './api/api.module.js';
import { ChatLogModule } from './chat-log/chat-log.module.js';
import type { Role } from './config/config.js';
import { ConfigModule, type ServiceConfig } from './config/config.module.js';
import { DatabaseModule } from './database/database.module.js';
import { DsatModule } from './dsat/dsat.module.js';
import { HealthModule } from './health/health.module.js';

const MODULE_OF = { ingest: ChatLogModule, classify: DsatModule, api: ApiModule } satisfies Record<Role, unknown>;

@Module({})
export class AppModule {
  /** The parts that the configured roles need, on top of what every role has. */
  static forRoot(config: ServiceConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        DatabaseModule,
        HealthModule,
        ...config.roles.map((role) => MODULE_OF[role]),
      ],
    };
  }
}
