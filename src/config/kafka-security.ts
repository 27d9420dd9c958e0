import { z } from 'zod';
import { keepsSecrets } from './loopback.js';
import { pairProblem, pemFile } from './pem-file.js';

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'] as const;

/** The keys of the configuration that say how to connect to Kafka safely. */
export const kafkaSecurityKeys = {
  DRIFTLOOP_KAFKA_TLS: z
    .enum(['true', 'false'])
    .default('false')
    .describe('TLS to Kafka. The certificate of the broker and its name are always verified.'),
  DRIFTLOOP_KAFKA_TLS_CA: pemFile('certificates').describe(
    'File of the CA certificates (PEM) that brokers are verified against. Without it the CAs that Node.js trusts.',
  ),
  DRIFTLOOP_KAFKA_TLS_CERT: pemFile('certificates').describe(
    'File of the client certificate (PEM, with its chain), for brokers that ask for one.',
  ),
  DRIFTLOOP_KAFKA_TLS_KEY: pemFile('private key').describe('File of its private key (PEM, without a passphrase).'),
  DRIFTLOOP_KAFKA_SASL_MECHANISM: z
    .enum(MECHANISMS)
    .optional()
    .describe('How to log in to Kafka. Without it there is no login.'),
  DRIFTLOOP_KAFKA_SASL_USERNAME: z.string().optional().describe('User, for `plain` and `scram-…`.'),
  DRIFTLOOP_KAFKA_SASL_PASSWORD: z.string().optional().describe('Password, for `plain` and `scram-…`.'),
  DRIFTLOOP_KAFKA_OAUTH_TOKEN_FILE: z
    .string()
    .optional()
    .describe('File with the token, for `oauthbearer`; read anew for each login, as something else keeps it fresh.'),
  DRIFTLOOP_KAFKA_OAUTH_TOKEN_URL: z
    .url({ protocol: /^https?$/ })
    .refine((url) => keepsSecrets(new URL(url)), {
      error: 'must begin with https://, as the client secret goes there; http:// is for this machine only',
    })
    .optional()
    .describe(
      'Token endpoint (OAuth 2.0 client credentials), for `oauthbearer` instead of a file. Over `http` only on this machine.',
    ),
  DRIFTLOOP_KAFKA_OAUTH_CLIENT_ID: z.string().optional().describe('Client id, for `oauthbearer`.'),
  DRIFTLOOP_KAFKA_OAUTH_CLIENT_SECRET: z.string().optional().describe('Client secret, for `oauthbearer`.'),
  DRIFTLOOP_KAFKA_OAUTH_SCOPE: z
    .string()
    .optional()
    .describe('Scopes to ask for, separated by spaces, for `oauthbearer`. Without it the ones of the client.'),
};

type Keys = z.output<z.ZodObject<typeof kafkaSecurityKeys>> & { KAFKA_BROKERS?: string[] };
type Key = keyof Keys;

export interface KafkaTls {
  caFile?: string;
  certFile?: string;
  keyFile?: string;
}

export interface PasswordLogin {
  mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  username: string;
  password: string;
}

/** OAuth 2.0 client credentials, RFC 6749 section 4.4. */
export interface ClientCredentials {
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
  scope?: string;
}

export interface TokenLogin {
  mechanism: 'oauthbearer';
  token: { file: string } | ClientCredentials;
}

/** How to connect to the configured brokers; the embedded one knows neither. */
export interface KafkaSecurity {
  tls?: KafkaTls;
  sasl?: PasswordLogin | TokenLogin;
}

const TLS_FILES: Key[] = ['DRIFTLOOP_KAFKA_TLS_CA', 'DRIFTLOOP_KAFKA_TLS_CERT', 'DRIFTLOOP_KAFKA_TLS_KEY'];
const PASSWORD_KEYS: Key[] = ['DRIFTLOOP_KAFKA_SASL_USERNAME', 'DRIFTLOOP_KAFKA_SASL_PASSWORD'];
const OAUTH_KEYS: Key[] = [
  'DRIFTLOOP_KAFKA_OAUTH_TOKEN_URL',
  'DRIFTLOOP_KAFKA_OAUTH_CLIENT_ID',
  'DRIFTLOOP_KAFKA_OAUTH_CLIENT_SECRET',
];
const OAUTH_OPTIONS: Key[] = ['DRIFTLOOP_KAFKA_OAUTH_SCOPE'];
const TOKEN_FILE: Key = 'DRIFTLOOP_KAFKA_OAUTH_TOKEN_FILE';

/** Settings that do not go together: each with its key, what was wrong and what is allowed. */
export function checkKafkaSecurity(keys: Keys, context: z.RefinementCtx): void {
  const problems = [...brokerProblems(keys), ...tlsProblems(keys), ...saslProblems(keys)];
  for (const [key, message] of problems) context.addIssue({ code: 'custom', path: [key], message });
}

type Problem = [Key, string];

function* brokerProblems(keys: Keys): Generator<Problem> {
  if (keys.KAFKA_BROKERS) return;
  const why = 'is only allowed with KAFKA_BROKERS: the embedded broker has neither TLS nor SASL';
  if (keys.DRIFTLOOP_KAFKA_TLS === 'true') yield ['DRIFTLOOP_KAFKA_TLS', why];
  if (keys.DRIFTLOOP_KAFKA_SASL_MECHANISM) yield ['DRIFTLOOP_KAFKA_SASL_MECHANISM', why];
}

function* tlsProblems(keys: Keys): Generator<Problem> {
  const { DRIFTLOOP_KAFKA_TLS_CERT: cert, DRIFTLOOP_KAFKA_TLS_KEY: key } = keys;
  if (keys.DRIFTLOOP_KAFKA_TLS === 'false') {
    for (const file of TLS_FILES) if (keys[file]) yield [file, 'is only allowed with DRIFTLOOP_KAFKA_TLS=true'];
  }
  if (cert && !key) yield ['DRIFTLOOP_KAFKA_TLS_KEY', 'is required with DRIFTLOOP_KAFKA_TLS_CERT'];
  if (key && !cert) yield ['DRIFTLOOP_KAFKA_TLS_CERT', 'is required with DRIFTLOOP_KAFKA_TLS_KEY'];
  const mismatch = cert && key && pairProblem(cert, key);
  if (mismatch) yield ['DRIFTLOOP_KAFKA_TLS_KEY', mismatch];
}

function* saslProblems(keys: Keys): Generator<Problem> {
  const mechanism = keys.DRIFTLOOP_KAFKA_SASL_MECHANISM;
  const { required, allowed } = loginKeys(keys);
  for (const key of required) {
    if (!keys[key]) yield [key, `is required with DRIFTLOOP_KAFKA_SASL_MECHANISM=${mechanism}`];
  }
  const why = mechanism
    ? `is not allowed with DRIFTLOOP_KAFKA_SASL_MECHANISM=${mechanism}, which takes ${allowed.join(', ')}`
    : `is only allowed with DRIFTLOOP_KAFKA_SASL_MECHANISM: ${MECHANISMS.join(', ')}`;
  for (const key of [...PASSWORD_KEYS, TOKEN_FILE, ...OAUTH_KEYS, ...OAUTH_OPTIONS]) {
    if (keys[key] && !allowed.includes(key)) yield [key, why];
  }
}

function loginKeys(keys: Keys): { required: Key[]; allowed: Key[] } {
  const mechanism = keys.DRIFTLOOP_KAFKA_SASL_MECHANISM;
  if (mechanism === undefined) return { required: [], allowed: [] };
  if (mechanism !== 'oauthbearer') return { required: PASSWORD_KEYS, allowed: PASSWORD_KEYS };
  if (keys[TOKEN_FILE]) return { required: [TOKEN_FILE], allowed: [TOKEN_FILE] };
  return { required: OAUTH_KEYS, allowed: [...OAUTH_KEYS, ...OAUTH_OPTIONS] };
}

/** The checked keys as the service uses them; undefined where brokers are spoken to in the clear, without a login. */
export function kafkaSecurityOf(keys: Keys): KafkaSecurity | undefined {
  const tls = tlsOf(keys);
  const sasl = saslOf(keys);
  return tls || sasl ? { tls, sasl } : undefined;
}

function tlsOf(keys: Keys): KafkaTls | undefined {
  if (keys.DRIFTLOOP_KAFKA_TLS === 'false') return undefined;
  return {
    caFile: keys.DRIFTLOOP_KAFKA_TLS_CA,
    certFile: keys.DRIFTLOOP_KAFKA_TLS_CERT,
    keyFile: keys.DRIFTLOOP_KAFKA_TLS_KEY,
  };
}

function saslOf(keys: Keys): KafkaSecurity['sasl'] {
  const mechanism = keys.DRIFTLOOP_KAFKA_SASL_MECHANISM;
  if (mechanism === undefined) return undefined;
  if (mechanism !== 'oauthbearer') {
    return {
      mechanism,
      username: keys.DRIFTLOOP_KAFKA_SASL_USERNAME!,
      password: keys.DRIFTLOOP_KAFKA_SASL_PASSWORD!,
    };
  }
  return { mechanism, token: tokenOf(keys) };
}

function tokenOf(keys: Keys): TokenLogin['token'] {
  const file = keys.DRIFTLOOP_KAFKA_OAUTH_TOKEN_FILE;
  if (file) return { file };
  return {
    tokenUrl: keys.DRIFTLOOP_KAFKA_OAUTH_TOKEN_URL!,
    clientId: keys.DRIFTLOOP_KAFKA_OAUTH_CLIENT_ID!,
    clientSecret: keys.DRIFTLOOP_KAFKA_OAUTH_CLIENT_SECRET!,
    scope: keys.DRIFTLOOP_KAFKA_OAUTH_SCOPE,
  };
}
