import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { OpenApiController } from './api/openapi.controller.js';
import { openApiDocument } from './api/openapi.js';
import { refuseDeepBodies } from './api/refuse-deep-bodies.js';
import { AppModule } from './app.module.js';
import { connectIngest } from './chat-log/chat-log.module.js';
import { MAX_RECORD_BYTES } from './chat-log/record-value.js';
import type { ServiceConfig } from './config/config.module.js';
import { listenError } from './health/listen-error.js';
import { ManagementServer } from './health/management-server.js';
import { Readiness } from './health/readiness.js';
import { NestPinoLogger } from './logger.js';

export interface Service {
  /** Absent without the `api` role. */
  apiPort?: number;
  managementPort: number;
  /** Not ready, then the turn in hand is finished, then everything is closed. */
  stop(): Promise<void>;
}

/**
 * Starts the configured roles: everything listens, and the consumer is on its way into its group.
 * @throws DriftError `conflict` where a port is in use
 */
export async function startService(config: ServiceConfig, logger: Logger): Promise<Service> {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(config),
    new FastifyAdapter({ bodyLimit: MAX_RECORD_BYTES }),
    {
      logger: new NestPinoLogger(logger),
      abortOnError: false,
    },
  );
  try {
    refuseDeepBodies(app);
    if (config.roles.includes('ingest')) connectIngest(app);
    await app.init();
    const managementPort = await app
      .get(ManagementServer, { strict: false })
      .listen(config.managementPort, config.httpHost);
    const apiPort = config.roles.includes('api') ? await listenApi(app, config) : undefined;
    await app.startAllMicroservices();
    return { apiPort, managementPort, stop: () => stop(app) };
  } catch (error) {
    await stop(app);
    throw error;
  }
}

async function stop(app: NestFastifyApplication): Promise<void> {
  app.get(Readiness, { strict: false }).drain();
  await app.close();
}

async function listenApi(app: NestFastifyApplication, { apiPort, httpHost }: ServiceConfig): Promise<number> {
  app.get(OpenApiController, { strict: false }).document = openApiDocument(app);
  const server: Server = await app.listen(apiPort, httpHost).catch((error: NodeJS.ErrnoException) => {
    throw listenError(error, apiPort, httpHost, 'DRIFTLOOP_API_PORT');
  });
  return (server.address() as AddressInfo).port;
}
