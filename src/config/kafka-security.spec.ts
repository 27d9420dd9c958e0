import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { CertificateAuthority } from '../../test/secure/certificates.js';
import type { DriftError } from '../drift-error.js';
import { loadConfig } from './config.js';

const dir = mkdtempSync(join(tmpdir(), 'driftloop-config-'));
const nonsense = join(dir, 'nonsense.pem');
const locked = join(dir, 'locked.key');
let authority: CertificateAuthority;
beforeAll(() => {
  authority = new CertificateAuthority(dir, 'authority');
  writeFileSync(nonsense, 'not a certificate, but top-secret');
  const encrypt = ['pkey', '-in', authority.keyFile, '-aes256', '-passout', 'pass:secret', '-out', locked];
  execFileSync('openssl', encrypt, { stdio: 'pipe' });
});

function problems(env: Record<string, string>): string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    expect((error as DriftError).code).toBe('config-invalid');
    return (error as DriftError).facts.problems as string[];
  }
}

const brokers = { KAFKA_BROKERS: 'kafka:9093' };
const tls = { ...brokers, DRIFTLOOP_KAFKA_TLS: 'true' };
const sasl = (mechanism: string) => ({ ...tls, DRIFTLOOP_KAFKA_SASL_MECHANISM: mechanism });

describe('the settings of TLS and SASL', () => {
  it('become what connects to the configured brokers', () => {
    expect(loadConfig(brokers).kafkaSecurity).toBeUndefined();
    expect(loadConfig(tls).kafkaSecurity).toEqual({ tls: {} });
    const login = { DRIFTLOOP_KAFKA_SASL_USERNAME: 'ada', DRIFTLOOP_KAFKA_SASL_PASSWORD: 'p' };
    const config = loadConfig({ ...sasl('plain'), ...login, DRIFTLOOP_KAFKA_TLS_CA: authority.certFile });
    expect(config.kafkaSecurity).toEqual({
      tls: { caFile: authority.certFile },
      sasl: { mechanism: 'plain', username: 'ada', password: 'p' },
    });
  });

  it('are refused for the embedded broker, which knows neither', () => {
    expect(problems({ DRIFTLOOP_KAFKA_TLS: 'true' })).toEqual([
      'DRIFTLOOP_KAFKA_TLS: is only allowed with KAFKA_BROKERS: the embedded broker has neither TLS nor SASL',
    ]);
  });

  it('are refused with the keys that are missing or do not belong there', () => {
    expect(problems(sasl('scram-sha-512'))).toEqual([
      'DRIFTLOOP_KAFKA_SASL_USERNAME: is required with DRIFTLOOP_KAFKA_SASL_MECHANISM=scram-sha-512',
      'DRIFTLOOP_KAFKA_SASL_PASSWORD: is required with DRIFTLOOP_KAFKA_SASL_MECHANISM=scram-sha-512',
    ]);
    const mixed = problems({ ...sasl('oauthbearer'), DRIFTLOOP_KAFKA_SASL_PASSWORD: 'top-secret' });
    expect(mixed).toHaveLength(4);
    expect(mixed[3]).toMatch(
      /^DRIFTLOOP_KAFKA_SASL_PASSWORD: is not allowed with .*oauthbearer, which takes .*TOKEN_URL/,
    );
    expect(mixed.join()).not.toContain('top-secret');
    expect(problems({ ...tls, DRIFTLOOP_KAFKA_OAUTH_SCOPE: 'x' })).toEqual([
      'DRIFTLOOP_KAFKA_OAUTH_SCOPE: is only allowed with DRIFTLOOP_KAFKA_SASL_MECHANISM: plain, scram-sha-256, scram-sha-512, oauthbearer',
    ]);
    expect(problems(sasl('gssapi'))[0]).toMatch(/^DRIFTLOOP_KAFKA_SASL_MECHANISM: .*plain.*oauthbearer/);
  });

  it('take a token over http from this machine only', () => {
    const client = { DRIFTLOOP_KAFKA_OAUTH_CLIENT_ID: 'c', DRIFTLOOP_KAFKA_OAUTH_CLIENT_SECRET: 's' };
    const from = (url: string) => problems({ ...sasl('oauthbearer'), ...client, DRIFTLOOP_KAFKA_OAUTH_TOKEN_URL: url });
    for (const host of ['https://login.example.com', 'http://localhost:8080', 'http://127.0.0.1:1', 'http://[::1]:1'])
      expect(from(`${host}/token`)).toEqual([]);
    for (const host of ['http://login.example.com', 'http://127.0.0.1.example.com', 'http://10.0.0.1'])
      expect(from(`${host}/token`)[0]).toMatch(/^DRIFTLOOP_KAFKA_OAUTH_TOKEN_URL: must begin with https:/);
  });

  it('are refused with files that are missing, hold something else, or do not belong together', () => {
    const { certFile, keyFile } = authority.issue('client');
    expect(problems({ ...brokers, DRIFTLOOP_KAFKA_TLS_CA: certFile })).toEqual([
      'DRIFTLOOP_KAFKA_TLS_CA: is only allowed with DRIFTLOOP_KAFKA_TLS=true',
    ]);
    expect(problems({ ...tls, DRIFTLOOP_KAFKA_TLS_CERT: certFile })).toEqual([
      'DRIFTLOOP_KAFKA_TLS_KEY: is required with DRIFTLOOP_KAFKA_TLS_CERT',
    ]);
    const pair = { DRIFTLOOP_KAFKA_TLS_CERT: certFile, DRIFTLOOP_KAFKA_TLS_KEY: authority.keyFile };
    expect(problems({ ...tls, ...pair })[0]).toContain('is not the private key of');
    expect(problems({ ...tls, ...pair, DRIFTLOOP_KAFKA_TLS_KEY: keyFile })).toEqual([]);
    expect(problems({ ...tls, DRIFTLOOP_KAFKA_TLS_CA: '/nowhere' })[0]).toContain('/nowhere cannot be read (ENOENT)');
    expect(problems({ ...tls, DRIFTLOOP_KAFKA_TLS_CA: nonsense })).toEqual([
      `DRIFTLOOP_KAFKA_TLS_CA: ${nonsense} holds no certificate: expected PEM`,
    ]);
    expect(problems({ ...tls, ...pair, DRIFTLOOP_KAFKA_TLS_KEY: locked })[0]).toContain('without a passphrase');
  });
});

describe('DATABASE_URL', () => {
  const url = (query: string) => ({ DATABASE_URL: `postgres://u:top-secret@db/d?${query}` });

  it('is a URL of PostgreSQL', () => {
    for (const bad of ['nonsense', 'mysql://db/d']) {
      expect(problems({ DATABASE_URL: bad })).toEqual([expect.stringMatching(/^DATABASE_URL: /)]);
    }
  });

  it('verifies in full in every mode that sounds like it', () => {
    const query = (mode: string) => new URL(loadConfig(url(`sslmode=${mode}`)).databaseUrl!).search;
    for (const mode of ['require', 'verify-ca', 'verify-full']) expect(query(mode)).toBe('?sslmode=verify-full');
    expect(query('no-verify')).toBe('?sslmode=no-verify');
  });

  it('is verified against DRIFTLOOP_DATABASE_CA', () => {
    const ca = { DRIFTLOOP_DATABASE_CA: authority.certFile };
    for (const query of ['', 'sslmode=require']) {
      const { searchParams } = new URL(loadConfig({ ...url(query), ...ca }).databaseUrl!);
      expect(Object.fromEntries(searchParams)).toEqual({ sslmode: 'verify-full', sslrootcert: authority.certFile });
    }
    const unused =
      'DRIFTLOOP_DATABASE_CA: is only allowed with a DATABASE_URL of sslmode=verify-full, without sslrootcert';
    for (const other of [{}, url('sslmode=disable'), url('sslmode=no-verify')]) {
      expect(problems({ ...other, ...ca })).toEqual([unused]);
    }
  });

  it('may be in a file, like other secrets', () => {
    const file = join(dir, 'url');
    writeFileSync(file, 'postgres://u:p@db/d\n');
    expect(loadConfig({ DATABASE_URL_FILE: file }).databaseUrl).toBe('postgres://u:p@db/d');
    expect(() => loadConfig({ DATABASE_URL_FILE: '/nowhere' })).toThrow(/DATABASE_URL_FILE: ENOENT/);
  });

  it('is refused where its parameters promise what is not done', () => {
    expect(problems(url('sslmode=prefer'))).toEqual([
      'DATABASE_URL: sslmode=prefer is not known: expected verify-full, verify-ca, require, no-verify, disable',
    ]);
    const root = `sslrootcert=${authority.certFile}`;
    for (const query of [root, `sslmode=no-verify&${root}`]) {
      expect(problems(url(query))).toEqual(['DATABASE_URL: sslrootcert is only allowed with sslmode=verify-full']);
    }
    expect(problems(url('sslmode=verify-full&sslrootcert=/nowhere'))[0]).toContain('/nowhere cannot be read');
    expect(problems(url(`sslmode=verify-full&sslcert=${authority.certFile}`))[0]).toContain('only allowed together');
  });
});
