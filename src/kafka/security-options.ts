import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { KafkaConfig, SASLOptions } from 'kafkajs';
import type { KafkaSecurity, KafkaTls, PasswordLogin, TokenLogin } from '../config/kafka-security.js';
import { accessTokens, tokenOfFile } from './access-token.js';
import { oauthBearer } from './oauth-bearer.js';

/** A handshake is more round trips, and work for the broker. */
const TLS_CONNECTION_TIMEOUT_MS = 5_000;

/** The part of kafkajs's options that makes connections safe. */
export function securityOptions({ tls, sasl }: KafkaSecurity = {}): Partial<KafkaConfig> {
  return {
    ...(tls ? { ssl: tlsOptions(tls), connectionTimeout: TLS_CONNECTION_TIMEOUT_MS } : {}),
    ...(sasl ? { sasl: sasl.mechanism === 'oauthbearer' ? oauthBearer(tokens(sasl)) : passwordLogin(sasl) } : {}),
  };
}

function tokens({ token }: TokenLogin): () => Promise<string> {
  return 'file' in token ? () => tokenOfFile(token.file) : accessTokens(token);
}

/** The types of kafkajs want one mechanism, not one of three. It also writes into the object. */
const passwordLogin = (sasl: PasswordLogin) => ({ ...sasl }) as SASLOptions;

/** Read anew for each connection, so that renewed certificates are used without a restart. */
function tlsOptions({ caFile, certFile, keyFile }: KafkaTls): ConnectionOptions {
  return {
    get ca() {
      return read(caFile);
    },
    get cert() {
      return read(certFile);
    },
    get key() {
      return read(keyFile);
    },
  };
}

const read = (file?: string) => (file === undefined ? undefined : readFileSync(file));
