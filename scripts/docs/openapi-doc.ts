import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { openApiDocument } from '../../src/api/openapi.js';
import { AppModule } from '../../src/app.module.js';
import { loadConfig } from '../../src/config/config.js';

/** `docs/openapi.json`, as the service answers it. In a preview nothing is instantiated: no database is needed. */
export async function openApiDoc(): Promise<string> {
  const module = AppModule.forRoot({ ...loadConfig({}), roles: ['api'], databaseUrl: '', kafkaBrokers: [] });
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  return `${JSON.stringify(openApiDocument(app), null, 2)}\n`;
}
