import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config/config.js';
import { migrate } from '../../src/database/migrate.js';
import { withDatabase } from '../../src/database/with-database.js';
import { Readiness } from '../../src/health/readiness.js';
import type { KafkaServers } from '../../src/kafka/kafka-servers.js';
import { removeState } from '../../src/stack/postgres-account.js';
import { ensureTopics } from '../../src/stack/topics.js';
import { runCli } from '../e2e/run-cli.js';
import { waitFor } from '../e2e/serve-process.js';
import { asRecord, turnEvent } from '../factories/turns.js';
import { type Certificate, CertificateAuthority } from '../secure/certificates.js';
import { SESSION_MS, SecureKafka, USER } from '../secure/secure-kafka.js';
import { SecurePostgres } from '../secure/secure-postgres.js';
import { CLIENT, TokenEndpoint } from '../secure/token-endpoint.js';
import { IngestHarness } from './ingest-harness.js';

const dir = mkdtempSync(join(tmpdir(), 'driftloop-security-'));
chmodSync(dir, 0o755); // PostgreSQL may run as another user
const { cacheDir } = loadConfig({ DRIFTLOOP_CACHE: process.env.DRIFTLOOP_CACHE });
const authority = new CertificateAuthority(dir, 'authority');
const stranger = new CertificateAuthority(dir, 'stranger');
const server = authority.issue('localhost');
let tokens: TokenEndpoint;
let kafka: SecureKafka;
let postgres: SecurePostgres;

beforeAll(async () => {
  tokens = await TokenEndpoint.start();
  [kafka, postgres] = await Promise.all([
    SecureKafka.start({ cacheDir }, join(dir, 'kafka'), { authority, server, jwks: tokens.jwks }),
    SecurePostgres.start({ cacheDir, stateDir: join(dir, 'state') }, server),
  ]);
  await migrate(postgres.url(VERIFIED));
});

afterAll(async () => {
  await Promise.all([kafka?.stop(), postgres?.stop(), tokens?.close()]);
  removeState(join(dir, 'state'));
});

const VERIFIED = `sslmode=verify-full&sslrootcert=${authority.certFile}`;
const tls = { DRIFTLOOP_KAFKA_TLS: 'true', DRIFTLOOP_KAFKA_TLS_CA: authority.certFile };

const byPassword = (mechanism: string, password = USER.password) => ({
  ...tls,
  KAFKA_BROKERS: kafka.loginBroker,
  DRIFTLOOP_KAFKA_SASL_MECHANISM: mechanism,
  DRIFTLOOP_KAFKA_SASL_USERNAME: USER.name,
  DRIFTLOOP_KAFKA_SASL_PASSWORD: password,
});

const byToken = (secret = CLIENT.secret) => ({
  ...tls,
  KAFKA_BROKERS: kafka.loginBroker,
  DRIFTLOOP_KAFKA_SASL_MECHANISM: 'oauthbearer',
  DRIFTLOOP_KAFKA_OAUTH_TOKEN_URL: tokens.url,
  DRIFTLOOP_KAFKA_OAUTH_CLIENT_ID: CLIENT.id,
  DRIFTLOOP_KAFKA_OAUTH_CLIENT_SECRET: secret,
  DRIFTLOOP_KAFKA_OAUTH_SCOPE: 'turns',
});

const byCertificate = ({ certFile, keyFile }: Certificate) => ({
  ...tls,
  KAFKA_BROKERS: kafka.certificateBroker,
  DRIFTLOOP_KAFKA_TLS_CERT: certFile,
  DRIFTLOOP_KAFKA_TLS_KEY: keyFile,
});

/** Servers that are reached like this, PostgreSQL over TLS too. */
async function secured(env: Record<string, string>): Promise<IngestHarness> {
  const harness = await IngestHarness.create(env, await postgres.createDatabase(VERIFIED));
  onTestFinished(() => harness.close());
  return harness;
}

async function takes(harness: IngestHarness, index: number): Promise<void> {
  const conversation = harness.config.topics.turns;
  await harness.produce([asRecord(turnEvent({ conversationId: conversation, turn: index }))]);
  await harness.stored();
  const rows = await harness.dataSource.query('SELECT turn FROM turns WHERE conversation_id = $1', [conversation]);
  expect(rows).toHaveLength(index + 1);
}

describe('turns reach PostgreSQL over TLS', () => {
  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])('with a login by %s', async (mechanism) => {
    const harness = await secured(byPassword(mechanism));
    await harness.startConsumer();
    await takes(harness, 0);
  });

  it('with a certificate of the client', async () => {
    const harness = await secured(byCertificate(authority.issue('client')));
    await harness.startConsumer();
    await takes(harness, 0);
  });

  it('with a login by oauthbearer, again and again, on one token', async () => {
    const before = tokens.given;
    const harness = await secured(byToken());
    await harness.startConsumer();
    await takes(harness, 0);
    await sleep(SESSION_MS);
    await takes(harness, 1);
    // One for making the topics, and one each for the clients of test, service, and waiting.
    expect(tokens.given - before).toBeLessThan(10);
  });
});

function serversOf(env: Record<string, string>): KafkaServers {
  const { kafkaBrokers = [], kafkaSecurity } = loadConfig(env);
  return { kafkaBrokers, kafkaSecurity };
}

/** What a command says that cannot use these settings. */
async function refusal(env: Record<string, string>): Promise<string> {
  const made = ensureTopics(serversOf(env), [{ topic: 'any' }]);
  const error = await made.then(
    () => new Error('it worked'),
    (error) => error,
  );
  expect(error).toMatchObject({ code: 'broker-unavailable' });
  return error.message;
}

describe('Kafka', () => {
  it.each(['plain', 'scram-sha-256'])('refuses a wrong password (%s), and the error says what to check', async (by) => {
    const message = await refusal(byPassword(by, 'wrong password'));
    expect(message).toMatch(/authentication failed.* Check DRIFTLOOP_KAFKA_SASL_MECHANISM, _USERNAME and _PASSWORD\.$/);
    expect(message).not.toContain('wrong password');
  });

  it('is not believed where another CA signed its certificate', async () => {
    const message = await refusal({ ...byPassword('plain'), DRIFTLOOP_KAFKA_TLS_CA: stranger.certFile });
    expect(message).toMatch(/CA that signed the server's certificate is not trusted.*DRIFTLOOP_KAFKA_TLS_CA/);
  });

  it('is not believed under a name that its certificate is not for', async () => {
    const brokers = kafka.loginBroker.replace('localhost', '127.0.0.1');
    expect(await refusal({ ...byPassword('plain'), KAFKA_BROKERS: brokers })).toMatch(/Use a name of the server/);
  });

  it('refuses a token that has expired, or is for another audience', async () => {
    onTestFinished(() => tokens.reset());
    tokens.claims = { exp: 1 };
    expect(await refusal(byToken())).toMatch(
      /broker refused the access token: .*invalid_token.* Compare what it demands/,
    );
    tokens.claims = { aud: 'another' };
    expect(await refusal(byToken())).toMatch(/broker refused the access token/);
  });

  it('takes the token that a file holds, when it holds one', async () => {
    const file = join(dir, 'token');
    const { DRIFTLOOP_KAFKA_SASL_MECHANISM } = byToken();
    const env = { ...tls, DRIFTLOOP_KAFKA_SASL_MECHANISM, KAFKA_BROKERS: kafka.loginBroker };
    const ofFile = { ...env, DRIFTLOOP_KAFKA_OAUTH_TOKEN_FILE: file };
    expect(await refusal(ofFile)).toMatch(/no access token: ENOENT.* Check DRIFTLOOP_KAFKA_OAUTH_TOKEN_FILE/);
    writeFileSync(file, `${tokens.token()}\n`);
    await ensureTopics(serversOf(ofFile), [{ topic: 'by-token-file' }]);
    writeFileSync(file, 'no token');
    expect(await refusal(ofFile)).toMatch(
      /mechanism OAUTHBEARER\. Check DRIFTLOOP_KAFKA_SASL_MECHANISM and the OAuth settings/,
    );
  });

  it('gets no token where the endpoint refuses the client, or is not there', async () => {
    const refused = await refusal(byToken('wrong secret'));
    expect(refused).toMatch(
      /token endpoint .*\/token gave no token: invalid_client\. Check DRIFTLOOP_KAFKA_OAUTH_CLIENT_ID/,
    );
    expect(refused).not.toContain('wrong secret');
    const away = await refusal({ ...byToken(), DRIFTLOOP_KAFKA_OAUTH_TOKEN_URL: 'http://127.0.0.1:2/token' });
    expect(away).toMatch(/gave no token: .*ECONNREFUSED.* Check DRIFTLOOP_KAFKA_OAUTH_TOKEN_URL/);
  });

  it('is asked whether it wants TLS, a login or a certificate where it hangs up', async () => {
    expect(await refusal({ KAFKA_BROKERS: kafka.loginBroker })).toMatch(/wants TLS \(DRIFTLOOP_KAFKA_TLS is false\)/);
    expect(await refusal({ ...tls, KAFKA_BROKERS: kafka.plainBroker })).toMatch(
      /speaks TLS \(DRIFTLOOP_KAFKA_TLS is true\)/,
    );
    expect(await refusal({ ...tls, KAFKA_BROKERS: kafka.loginBroker })).toMatch(
      /DRIFTLOOP_KAFKA_SASL_MECHANISM is not set/,
    );
    expect(await refusal({ ...tls, KAFKA_BROKERS: kafka.certificateBroker })).toMatch(/DRIFTLOOP_KAFKA_TLS_CERT/);
  });
});

it('is not ready, says why, and goes on by itself when the broker refuses its login for a while', async () => {
  onTestFinished(() => tokens.reset());
  tokens.expiresIn = 1; // each login asks for a new one
  const harness = await secured(byToken());
  const app = await harness.startConsumer();
  await takes(harness, 0);
  const readiness = app.get(Readiness);
  tokens.claims = { exp: 1 };
  await waitFor(async () => (await readiness.reasons()).consumer?.includes('refused the access token') || undefined);
  tokens.claims = {};
  await takes(harness, 1);
  expect(await readiness.reasons()).toEqual({});
});

it('ends `driftloop serve` with the reason, and without its secrets', async () => {
  const env = { ...byPassword('scram-sha-512', 'not the password'), DATABASE_URL: postgres.url(VERIFIED) };
  const { code, stdout, stderr } = await runCli(['serve'], {
    ...env,
    DRIFTLOOP_LOG_LEVEL: 'trace',
    DRIFTLOOP_STATE_DIR: dir,
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/Topics could not be made.*Check DRIFTLOOP_KAFKA_SASL_MECHANISM, _USERNAME and _PASSWORD/);
  expect(stdout + stderr).not.toContain('not the password');
  expect(stdout + stderr).not.toContain(postgres.password);
});

describe('PostgreSQL', () => {
  const answer = (url: string) =>
    withDatabase(loadConfig({ DATABASE_URL: url }).databaseUrl!, (dataSource) =>
      dataSource.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'),
    );

  it.each(['verify-full', 'verify-ca', 'require'])('is verified with sslmode=%s', async (mode) => {
    const known = `sslmode=${mode}&sslrootcert=${authority.certFile}`;
    expect(await answer(postgres.url(known))).toEqual([{ ssl: true }]);
    const untrusted = "CA that signed the server's certificate is not trusted";
    await expect(answer(postgres.url(`sslmode=${mode}&sslrootcert=${stranger.certFile}`))).rejects.toThrow(untrusted);
    await expect(answer(postgres.url(`sslmode=${mode}`))).rejects.toThrow(untrusted);
    await expect(answer(postgres.url(known).replace('localhost', '127.0.0.1'))).rejects.toThrow(
      'Use a name of the server',
    );
  });

  it('is encrypted but not verified with sslmode=no-verify', async () => {
    expect(await answer(postgres.url('sslmode=no-verify'))).toEqual([{ ssl: true }]);
  });

  it('says that it wants TLS, and refuses a wrong password', async () => {
    const bare = answer(postgres.url('sslmode=disable'));
    await expect(bare).rejects.toMatchObject({ code: 'database-unavailable' });
    await expect(bare).rejects.toThrow('add sslmode=verify-full to DATABASE_URL');
    const wrong = answer(postgres.url(VERIFIED).replace(postgres.password, 'wrong-password'));
    await expect(wrong).rejects.toThrow(/password authentication failed.* Check DATABASE_URL/);
    await expect(wrong).rejects.not.toThrow('wrong-password');
  });
});
