import { type DynamicModule, Module } from '@nestjs/common';
import type { Stack } from '../stack/stack.js';
import type { Config } from './config.js';

/** Injection token of the `ServiceConfig`. */
export const CONFIG = Symbol('CONFIG');

/** The configuration of a running service: the servers are known, whether they were configured or embedded. */
export type ServiceConfig = Config & Stack;

@Module({})
export class ConfigModule {
  static forRoot(config: ServiceConfig): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [{ provide: CONFIG, useValue: config }],
      exports: [CONFIG],
    };
  }
}
