import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CONFIG, type ServiceConfig } from '../config/config.module.js';
import { createDataSource } from './data-source.js';

/** Makes TypeORM's `DataSource` injectable everywhere. It closes in `onApplicationShutdown`: stop work before that. */
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [CONFIG],
      useFactory: ({ databaseUrl }: ServiceConfig) => createDataSource(databaseUrl).options,
    }),
  ],
})
export class DatabaseModule {}
