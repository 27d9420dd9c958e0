import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Config } from '../../src/config/config.js';
import { EmbeddedPostgres } from '../../src/stack/embedded-postgres.js';
import { joinOrStart } from '../../src/stack/embedded-server.js';
import { stopProcess } from '../../src/stack/server-process.js';
import type { ServerRecord } from '../../src/stack/stack-state.js';
import type { TestDatabase } from '../stack.js';
import type { Certificate } from './certificates.js';

const DATABASE = 'driftloop';

/** A PostgreSQL that takes connections over TLS only. */
export class SecurePostgres {
  private copies = 0;

  private constructor(
    private readonly server: EmbeddedPostgres,
    private readonly record: ServerRecord,
  ) {}

  static async start(config: Pick<Config, 'stateDir' | 'cacheDir'>, certificate: Certificate): Promise<SecurePostgres> {
    const server = new EmbeddedPostgres(config, true);
    const record = await joinOrStart(server, undefined, [], () => {});
    await demandTls(server.url(record), certificate);
    return new SecurePostgres(server, record);
  }

  /** @param query such as `sslmode=verify-full` */
  url(query: string, database = DATABASE): string {
    return `${this.server.url(this.record, database).replace('127.0.0.1', 'localhost')}?${query}`;
  }

  /** A copy of the first database, which nobody is connected to. */
  async createDatabase(query: string): Promise<TestDatabase> {
    const name = `copy_${this.copies++}`;
    const client = new pg.Client(this.url(query, 'postgres'));
    await client.connect();
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${DATABASE}`);
    await client.end();
    return { url: this.url(query, name), drop: async () => {} };
  }

  get password(): string {
    return new URL(this.server.url(this.record)).password;
  }

  stop(): Promise<void> {
    return stopProcess(this.record, this.server.stopSignals);
  }
}

/** The server writes the files itself: it may run as another user, and its key may be nobody else's. */
async function demandTls(url: string, { certFile, keyFile }: Certificate): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  const hba = (await client.query('SHOW hba_file')).rows[0].hba_file as string;
  const write = (file: string, text: string) =>
    client.query(
      `COPY (SELECT unnest(string_to_array('${text.trim()}', E'\\n'))) TO PROGRAM 'umask 077; cat > "${file}"'`,
    );
  await write(`${dirname(hba)}/server.crt`, readFileSync(certFile, 'utf8'));
  await write(`${dirname(hba)}/server.key`, readFileSync(keyFile, 'utf8'));
  await write(hba, 'hostssl all all 127.0.0.1/32 scram-sha-256');
  await client.query('ALTER SYSTEM SET ssl = on');
  await client.query('SELECT pg_reload_conf()');
  while ((await client.query('SHOW ssl')).rows[0].ssl !== 'on') await sleep(20);
  await client.end();
}
