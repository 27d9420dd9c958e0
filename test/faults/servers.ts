import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../src/config/config.js';
import { EmbeddedKafka } from '../../src/stack/embedded-kafka.js';
import { EmbeddedPostgres } from '../../src/stack/embedded-postgres.js';
import { type EmbeddedServer, joinOrStart } from '../../src/stack/embedded-server.js';
import { signalProcess, stopProcess } from '../../src/stack/server-process.js';
import type { ServerRecord } from '../../src/stack/stack-state.js';

/** One of the project's embedded servers, that can be made to fail. It comes back on the same port, with its data. */
class Server<S extends EmbeddedServer> {
  private record?: ServerRecord;

  constructor(readonly server: S) {}

  get running(): ServerRecord {
    if (!this.record) throw new Error(`${this.server.title} was not started.`);
    return this.record;
  }

  async start(): Promise<void> {
    const save = (record: ServerRecord) => {
      this.record = record;
    };
    await joinOrStart(this.server, this.record, this.record?.ports ?? [], save);
  }

  async stop(signal: NodeJS.Signals, graceMs = 30_000): Promise<void> {
    await stopProcess(this.running, [{ signal, graceMs }]);
  }

  /** At once, when the harness itself has to end. */
  kill(): void {
    if (this.record) signalProcess(this.record, 'SIGKILL');
  }
}

/** A PostgreSQL and a Kafka of the harness's own, on its own directory. */
export class Servers {
  readonly postgres: Server<EmbeddedPostgres>;
  readonly kafka: Server<EmbeddedKafka>;

  constructor(private readonly config: Config) {
    this.postgres = new Server(new EmbeddedPostgres(config, false));
    this.kafka = new Server(new EmbeddedKafka(config, false));
  }

  async start(): Promise<void> {
    await Promise.all([this.postgres.start(), this.kafka.start()]);
  }

  get brokers(): string[] {
    return this.kafka.server.brokers(this.kafka.running);
  }

  databaseUrl(name?: string): string {
    return this.postgres.server.url(this.postgres.running, name);
  }

  postgresLog(): string {
    return readFileSync(join(this.config.stateDir, 'logs', 'postgres.log'), 'utf8');
  }

  async stop(): Promise<void> {
    await Promise.all([this.kafka.stop('SIGTERM'), this.postgres.stop('SIGINT')]);
  }

  kill(): void {
    this.kafka.kill();
    this.postgres.kill();
  }
}
