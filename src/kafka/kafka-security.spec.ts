import { expect, it } from 'vitest';
import { loadConfig } from '../config/config.js';

const env = { KAFKA_BROKERS: 'a:1', DRIFTLOOP_PRIVACY_KEY: 'x'.repeat(32) };

it.each([
  [{ DRIFTLOOP_KAFKA_TLS_CA: '/ca' }, /DRIFTLOOP_KAFKA_TLS=true/],
  [
    { DRIFTLOOP_KAFKA_TLS: 'true', DRIFTLOOP_KAFKA_TLS_CERT: '/c' },
    /both DRIFTLOOP_KAFKA_TLS_CERT and DRIFTLOOP_KAFKA_TLS_KEY/,
  ],
  [{ DRIFTLOOP_KAFKA_TLS: 'true', DRIFTLOOP_KAFKA_TLS_CA: '/none' }, /DRIFTLOOP_KAFKA_TLS_CA: ENOENT.*\/none/],
  [{ DRIFTLOOP_KAFKA_SASL_MECHANISM: 'plain' }, /DRIFTLOOP_KAFKA_SASL_USERNAME and DRIFTLOOP_KAFKA_SASL_PASSWORD/],
  [{ DRIFTLOOP_KAFKA_SASL_MECHANISM: 'oauthbearer' }, /DRIFTLOOP_KAFKA_OAUTH_TOKEN_FILE/],
  [{ DRIFTLOOP_KAFKA_SASL_MECHANISM: 'gssapi' }, /DRIFTLOOP_KAFKA_SASL_MECHANISM/],
  [{ DATABASE_URL: 'postgres://a/b', DRIFTLOOP_DATABASE_CA: '/none' }, /DRIFTLOOP_DATABASE_CA: ENOENT/],
  [{ DATABASE_URL_FILE: '/none' }, /DATABASE_URL_FILE: ENOENT/],
])('refuses %j when a command starts', (given, message) => {
  expect(() => loadConfig({ ...env, ...given })).toThrow(
    expect.objectContaining({ code: 'config-invalid', message: expect.stringMatching(message) }),
  );
});

it('gives brokers without security none', () => {
  expect(loadConfig(env).kafkaBrokers?.security).toEqual({});
});
