import { rename, writeFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { EXIT } from './cli/program.js';
import type { Config } from './config/config.js';
import { prepareSchema } from './database/migrate.js';
import { createLogger } from './logger.js';
import { partialOf } from './partial-file.js';
import { type Service, startService } from './service.js';
import { type Server, withStack } from './stack/stack.js';
import { ensureTopics, serviceTopics } from './stack/topics.js';

/**
 * Runs the service until SIGTERM or SIGINT, then drains it. A second signal, or work that outlives
 * `shutdownGraceMs`, ends the process at once.
 */
export async function serve(config: Config, portsFile?: string): Promise<void> {
  const logger = createLogger(config.logLevel);
  const usesKafka =
    config.roles.includes('ingest') || (config.roles.includes('api') && config.ingestApiKeys.length > 0);
  const needs: Server[] = usesKafka ? ['postgres', 'kafka'] : ['postgres'];
  await withStack(config, needs, async (stack) => {
    await prepareSchema(config, stack.databaseUrl);
    if (usesKafka) await ensureTopics(stack, serviceTopics(config.topics));
    const signal = nextSignal();
    const service = await startService({ ...config, ...stack }, logger);
    await announce(service, config, logger, portsFile);
    await drain(service, await signal, config.shutdownGraceMs, logger);
  });
}

async function announce(service: Service, config: Config, logger: Logger, portsFile?: string): Promise<void> {
  const { apiPort, managementPort } = service;
  const address = (port: number) => `http://${config.httpHost}:${port}`;
  const management = `metrics and health ${address(managementPort)}`;
  logger.info({ roles: config.roles, apiPort, managementPort }, 'listening');
  console.log(apiPort === undefined ? `listening: ${management}` : `listening: API ${address(apiPort)}, ${management}`);
  if (portsFile) await writeAtomically(portsFile, JSON.stringify({ pid: process.pid, apiPort, managementPort }));
}

async function writeAtomically(file: string, text: string): Promise<void> {
  const partial = partialOf(file);
  await writeFile(partial, text);
  await rename(partial, file);
}

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Resolves at the first of the signals that stop; from then on another one ends the process at once. */
function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (stopping) process.exit(EXIT.failed);
      stopping = true;
      resolve(signal);
    };
    for (const name of STOP_SIGNALS) process.on(name, onSignal);
  });
}

async function drain(service: Service, signal: NodeJS.Signals, graceMs: number, logger: Logger): Promise<void> {
  logger.info({ signal, graceMs }, 'shutting down');
  const late = setTimeout(() => {
    logger.error(
      { graceMs },
      'the work in hand outlived DRIFTLOOP_SHUTDOWN_GRACE_MS; what was not committed is read again',
    );
    process.exit(EXIT.failed);
  }, graceMs);
  await service.stop();
  clearTimeout(late);
  logger.info('stopped');
}
