import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKafka } from '../../src/chat-log/kafka-client.js';
import { loadConfig } from '../../src/config/config.js';
import { withDatabase } from '../../src/database/with-database.js';
import { removeState } from '../../src/stack/postgres-account.js';
import { type RunningStack, startStack } from '../../src/stack/stack.js';
import { ensureTopics } from '../../src/stack/topics.js';
import { type Certificates, makeCertificates } from '../factories/certificates.js';
import { SecureKafka, USER } from './secure-kafka.js';

const scratch = mkdtempSync(join(tmpdir(), 'driftloop-secure-'));
let certificates: Certificates;
beforeAll(() => {
  chmodSync(scratch, 0o755);
  certificates = makeCertificates(join(scratch, 'certificates'));
});

describe('Kafka with TLS and SASL', () => {
  let kafka: SecureKafka;
  beforeAll(async () => {
    const dir = join(scratch, 'kafka');
    mkdirSync(dir);
    kafka = await SecureKafka.start(dir, certificates);
    for (let left = 120; ; left--) {
      const up = await connect(env('plain')).then(
        () => true,
        () => false,
      );
      if (up || left === 0) break;
      await sleep(500);
    }
  });
  afterAll(() => kafka.stop());

  const env = (mechanism: string, rest: Record<string, string> = {}) => ({
    KAFKA_BROKERS: kafka.sasl,
    DRIFTLOOP_KAFKA_TLS: 'true',
    DRIFTLOOP_KAFKA_TLS_CA: certificates.ca,
    DRIFTLOOP_KAFKA_SASL_MECHANISM: mechanism,
    DRIFTLOOP_KAFKA_SASL_USERNAME: USER.name,
    DRIFTLOOP_KAFKA_SASL_PASSWORD: USER.password,
    ...rest,
  });
  /** Makes topics and produces, as the service and the commands do. */
  async function connect(given: Record<string, string>): Promise<void> {
    const brokers = loadConfig(given).kafkaBrokers!;
    await ensureTopics(brokers, [{ topic: 'turns', numPartitions: 1 }]);
    const producer = createKafka(brokers).producer();
    await producer.connect();
    await producer.send({ topic: 'turns', messages: [{ value: 'x' }] });
    await producer.disconnect();
  }

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])(
    'lets in who has the password, by %s, and no other',
    async (mechanism) => {
      await connect(env(mechanism));
      await expect(connect(env(mechanism, { DRIFTLOOP_KAFKA_SASL_PASSWORD: 'wrong' }))).rejects.toMatchObject({
        code: 'broker-unavailable',
        message: expect.stringContaining('Check DRIFTLOOP_KAFKA_SASL_MECHANISM and the credentials'),
      });
    },
  );

  it('takes a password from a file', async () => {
    const file = join(scratch, 'password');
    writeFileSync(file, `${USER.password}\n`);
    await connect(env('plain', { DRIFTLOOP_KAFKA_SASL_PASSWORD: '', DRIFTLOOP_KAFKA_SASL_PASSWORD_FILE: file }));
  });

  it('lets in who has a token, of a file or of an OAuth server', async () => {
    const file = join(scratch, 'token');
    writeFileSync(file, unsecuredToken());
    await connect(env('oauthbearer', { DRIFTLOOP_KAFKA_OAUTH_TOKEN_FILE: file }));
    writeFileSync(file, 'no token');
    await expect(connect(env('oauthbearer', { DRIFTLOOP_KAFKA_OAUTH_TOKEN_FILE: file }))).rejects.toMatchObject({
      code: 'broker-unavailable',
    });
    const asked: string[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      asked.push(`${request.headers.authorization} ${body}`);
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ access_token: unsecuredToken() }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
    await connect(env('oauthbearer', { DRIFTLOOP_KAFKA_OAUTH_TOKEN_URL: url, DRIFTLOOP_KAFKA_OAUTH_SCOPE: 'kafka' }));
    server.close();
    const basic = Buffer.from(`${USER.name}:${USER.password}`).toString('base64');
    expect(asked[0]).toBe(`Basic ${basic} grant_type=client_credentials&scope=kafka`);
  });

  it('is not trusted under another authority, and says which key to look at', async () => {
    await expect(connect(env('plain', { DRIFTLOOP_KAFKA_TLS_CA: certificates.otherCa }))).rejects.toMatchObject({
      code: 'broker-unavailable',
      message: expect.stringContaining('Check DRIFTLOOP_KAFKA_TLS and DRIFTLOOP_KAFKA_TLS_CA'),
    });
  });

  it('lets in who has a certificate, where it asks for one', async () => {
    const tls = { KAFKA_BROKERS: kafka.mutual, DRIFTLOOP_KAFKA_TLS: 'true', DRIFTLOOP_KAFKA_TLS_CA: certificates.ca };
    await connect({ ...tls, DRIFTLOOP_KAFKA_TLS_CERT: certificates.cert, DRIFTLOOP_KAFKA_TLS_KEY: certificates.key });
    await expect(connect(tls)).rejects.toMatchObject({ code: 'broker-unavailable' });
  });
});

describe('PostgreSQL with TLS', () => {
  const stateDir = join(scratch, 'state');
  let stack: RunningStack;
  let url: string;
  beforeAll(async () => {
    const config = loadConfig({ DRIFTLOOP_STATE_DIR: stateDir, DRIFTLOOP_CACHE: process.env.DRIFTLOOP_CACHE });
    stack = await startStack(config, ['postgres'], { throwaway: true });
    url = stack.databaseUrl;
    const data = realpathSync(join(stateDir, 'postgres', 'data'));
    const { uid, gid } = statSync(data);
    for (const [name, from] of [
      ['server.crt', certificates.cert],
      ['server.key', certificates.key],
    ] as const) {
      copyFileSync(from, join(data, name));
      chmodSync(join(data, name), 0o600);
      if (process.getuid?.() === 0) chownSync(join(data, name), uid, gid);
    }
    const hba = join(data, 'pg_hba.conf');
    writeFileSync(hba, readFileSync(hba, 'utf8').replaceAll(/^host /gm, 'hostssl '));
    const client = new pg.Client(url);
    await client.connect();
    await client.query('ALTER SYSTEM SET ssl = on');
    await client.query('SELECT pg_reload_conf()');
    await client.end();
    await sleep(500);
  });
  afterAll(async () => {
    await stack.stop();
    removeState(stateDir);
  });

  const ask = (given: Record<string, string>) =>
    withDatabase(loadConfig({ DATABASE_URL: url, ...given }).databaseUrl!, async (dataSource) => {
      const [row] = await dataSource.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      return row;
    });

  it('is verified where its authority is given, and read over TLS', async () => {
    expect(await ask({ DRIFTLOOP_DATABASE_CA: certificates.ca })).toEqual({ ssl: true });
    expect(await ask({ DATABASE_URL: `${url}?sslmode=verify-full&sslrootcert=${certificates.ca}` })).toEqual({
      ssl: true,
    });
    expect(await ask({ DATABASE_URL: `${url}?sslmode=no-verify` })).toEqual({ ssl: true });
  });

  it('refuses who comes without TLS', async () => {
    await expect(ask({})).rejects.toMatchObject({
      code: 'database-unavailable',
      message: expect.stringMatching(/no encryption|SSL off/),
    });
  });

  it('is not trusted under another authority, and says which key to look at', async () => {
    await expect(ask({ DRIFTLOOP_DATABASE_CA: certificates.otherCa })).rejects.toMatchObject({
      code: 'database-unavailable',
      message: expect.stringContaining('Check sslmode in DATABASE_URL and DRIFTLOOP_DATABASE_CA'),
    });
  });
});

/** A JSON Web Signature without a signature, which Kafka takes where no key is configured. */
function unsecuredToken(): string {
  const now = Math.floor(Date.now() / 1_000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: USER.name, iat: now - 5, exp: now + 600 })}.`;
}
