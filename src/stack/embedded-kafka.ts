import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Config } from '../config/config.js';
import { DriftError } from '../drift-error.js';
import { requireAsset } from './assets.js';
import type { EmbeddedServer } from './embedded-server.js';
import { LOG4J_PROPERTIES, serverProperties } from './kafka-properties.js';
import { choosePort } from './ports.js';
import { type ProcessRecord, processesIn, type StopSignals, spawnServer } from './server-process.js';
import type { ServerRecord } from './stack-state.js';
import { brokersAnswer } from './topics.js';

const HEAP = '512m';
const SMALL_HEAP = '256m';
const NO_JAVA = 'The embedded Kafka needs Java 17 or later, and there is no `java`: install it, or set KAFKA_BROKERS.';

/** A real Apache Kafka, broker and controller (KRaft) in one process, on a directory below the state directory; loopback only. */
export class EmbeddedKafka implements EmbeddedServer {
  static readonly STOP_SIGNALS: StopSignals = [{ signal: 'SIGTERM', graceMs: 30_000 }];
  readonly title = 'Apache Kafka';
  readonly logFile: string;
  readonly stopSignals = EmbeddedKafka.STOP_SIGNALS;
  private readonly home: string;

  constructor(
    private readonly config: Pick<Config, 'stateDir' | 'cacheDir'>,
    private readonly throwaway: boolean,
  ) {
    mkdirSync(join(config.stateDir, 'kafka'), { recursive: true });
    this.home = realpathSync(join(config.stateDir, 'kafka'));
    this.logFile = join(config.stateDir, 'logs', 'kafka.log');
  }

  brokers(record: ServerRecord): string[] {
    return [`127.0.0.1:${record.ports[0]}`];
  }

  async start(lastPorts: number[]): Promise<ServerRecord> {
    const port = await choosePort(lastPorts[0]);
    const controllerPort = await choosePort(lastPorts[1], [port]);
    writeFileSync(join(this.home, 'log4j2.properties'), LOG4J_PROPERTIES);
    writeFileSync(
      join(this.home, 'server.properties'),
      serverProperties(join(this.home, 'data'), port, controllerPort),
    );
    if (!existsSync(join(this.home, 'data'))) await this.format(port, controllerPort);
    const heap = this.throwaway ? SMALL_HEAP : HEAP;
    // A short life is over before the second compiler pays.
    const options = [`-Xmx${heap}`, ...(this.throwaway ? ['-XX:TieredStopAtLevel=1'] : [])];
    const args = [...options, ...this.java(), 'kafka.Kafka', 'server.properties'];
    const record = await spawnServer('java', args, this.logFile, { cwd: this.home });
    return { ...record, ports: [port, controllerPort] };
  }

  async answers(record: ServerRecord): Promise<boolean> {
    return await brokersAnswer(this.brokers(record));
  }

  running(): ProcessRecord[] {
    return processesIn(this.home, 'java');
  }

  /** Gives the storage its identity, under another name first: it is there whole or not at all. */
  private async format(port: number, controllerPort: number): Promise<void> {
    const temporary = join(this.home, 'data.tmp');
    rmSync(temporary, { recursive: true, force: true });
    const properties = join(this.home, 'format.properties');
    writeFileSync(properties, serverProperties(temporary, port, controllerPort));
    const clusterId = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
    // With `=`, as an id may begin with a dash.
    const args = [...this.java(), 'kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', properties];
    try {
      await promisify(execFile)('java', args, { cwd: this.home });
    } catch (cause) {
      const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      const message = missing ? NO_JAVA : `Kafka could not format ${this.home}: ${(cause as Error).message}`;
      throw new DriftError('stack-unavailable', message, { cause });
    }
    renameSync(temporary, join(this.home, 'data'));
    rmSync(properties);
  }

  private java(): string[] {
    const libs = requireAsset(this.config, 'kafkaLibs');
    return ['-Djava.awt.headless=true', '-Dlog4j2.configurationFile=log4j2.properties', '-cp', join(libs, '*')];
  }
}
