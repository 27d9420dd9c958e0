import type { ConnectionOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import { readConfigured } from '../config/configured-file.js';
import { DriftError } from '../drift-error.js';
import { oauthToken } from './oauth-token.js';

/** As kafkajs takes them. */
export interface KafkaSecurity {
  ssl?: ConnectionOptions | boolean;
  sasl?: SASLOptions;
}

/** The keys of the configuration that say how to be let in. */
export interface KafkaSecurityKeys {
  DRIFTLOOP_KAFKA_TLS: boolean;
  DRIFTLOOP_KAFKA_TLS_CA?: string;
  DRIFTLOOP_KAFKA_TLS_CERT?: string;
  DRIFTLOOP_KAFKA_TLS_KEY?: string;
  DRIFTLOOP_KAFKA_SASL_MECHANISM?: SASLOptions['mechanism'];
  DRIFTLOOP_KAFKA_SASL_USERNAME?: string;
  DRIFTLOOP_KAFKA_SASL_PASSWORD?: string;
  DRIFTLOOP_KAFKA_OAUTH_TOKEN_FILE?: string;
  DRIFTLOOP_KAFKA_OAUTH_TOKEN_URL?: string;
  DRIFTLOOP_KAFKA_OAUTH_SCOPE?: string;
}

/** @throws DriftError `config-invalid` where keys that belong together are not all there, or a file cannot be read */
export function kafkaSecurity(keys: KafkaSecurityKeys): KafkaSecurity {
  const ssl = tlsOf(keys);
  const sasl = saslOf(keys);
  return { ...(ssl === undefined ? {} : { ssl }), ...(sasl === undefined ? {} : { sasl }) };
}

function tlsOf(keys: KafkaSecurityKeys): KafkaSecurity['ssl'] {
  const files = {
    ca: keys.DRIFTLOOP_KAFKA_TLS_CA,
    cert: keys.DRIFTLOOP_KAFKA_TLS_CERT,
    key: keys.DRIFTLOOP_KAFKA_TLS_KEY,
  };
  const given = Object.entries(files).filter(([, file]) => file !== undefined);
  if (!keys.DRIFTLOOP_KAFKA_TLS && given.length > 0)
    throw incomplete('DRIFTLOOP_KAFKA_TLS_*', 'DRIFTLOOP_KAFKA_TLS=true');
  if ((files.cert === undefined) !== (files.key === undefined)) {
    throw incomplete('A client certificate', 'both DRIFTLOOP_KAFKA_TLS_CERT and DRIFTLOOP_KAFKA_TLS_KEY');
  }
  if (!keys.DRIFTLOOP_KAFKA_TLS) return undefined;
  if (given.length === 0) return true;
  return Object.fromEntries(
    given.map(([name, file]) => [name, readConfigured(`DRIFTLOOP_KAFKA_TLS_${name.toUpperCase()}`, file!)]),
  );
}

function saslOf(keys: KafkaSecurityKeys): SASLOptions | undefined {
  const mechanism = keys.DRIFTLOOP_KAFKA_SASL_MECHANISM;
  const { DRIFTLOOP_KAFKA_SASL_USERNAME: username, DRIFTLOOP_KAFKA_SASL_PASSWORD: password } = keys;
  if (mechanism === undefined) return undefined;
  if (mechanism === 'oauthbearer') return { mechanism, oauthBearerProvider: oauthToken(oauthSource(keys)) };
  if (!username || !password) {
    throw incomplete(`SASL ${mechanism}`, 'DRIFTLOOP_KAFKA_SASL_USERNAME and DRIFTLOOP_KAFKA_SASL_PASSWORD');
  }
  return { mechanism, username, password } as SASLOptions;
}

function oauthSource(keys: KafkaSecurityKeys) {
  const { DRIFTLOOP_KAFKA_OAUTH_TOKEN_FILE: file, DRIFTLOOP_KAFKA_OAUTH_TOKEN_URL: url } = keys;
  const { DRIFTLOOP_KAFKA_SASL_USERNAME: clientId, DRIFTLOOP_KAFKA_SASL_PASSWORD: clientSecret } = keys;
  if (file) return { file };
  if (url && clientId && clientSecret) return { url, clientId, clientSecret, scope: keys.DRIFTLOOP_KAFKA_OAUTH_SCOPE };
  throw incomplete(
    'SASL oauthbearer',
    'DRIFTLOOP_KAFKA_OAUTH_TOKEN_FILE, or DRIFTLOOP_KAFKA_OAUTH_TOKEN_URL with DRIFTLOOP_KAFKA_SASL_USERNAME and _PASSWORD (client id and secret)',
  );
}

function incomplete(what: string, needs: string): DriftError {
  return new DriftError('config-invalid', `The configuration is not valid: ${what} needs ${needs}.`);
}
