import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CountryCode } from 'libphonenumber-js/min';
import { z } from 'zod';
import { DriftError } from '../drift-error.js';
import { REDACTION_KINDS, type RedactionSettings } from '../privacy/redaction-settings.js';
import { readConfigured } from './configured-file.js';
import { checkDatabaseCa, databaseUrl, withDatabaseCa } from './database-url.js';
import { checkJudge, type JudgeSettings, judgeKeys, judgeOf } from './judge-keys.js';
import { checkKafkaSecurity, type KafkaSecurity, kafkaSecurityKeys, kafkaSecurityOf } from './kafka-security.js';
import { pemFile } from './pem-file.js';
import { type Reviewer, reviewKeys } from './review-keys.js';

const list = (value: string) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item.length > 0);

const ROLES = ['ingest', 'classify', 'api'] as const;
export type Role = (typeof ROLES)[number];

const port = z.coerce.number().int().min(0).max(65_535);
const positive = z.coerce.number().int().positive();

/**
 * The whole configuration, one key for each environment variable. `docs/configuration.md` is generated from it.
 * An empty variable counts as absent.
 */
export const configSchema = z.object({
  DATABASE_URL: databaseUrl
    .optional()
    .describe(
      'PostgreSQL to use, `postgres://user:password@host:port/database`; over TLS with `?sslmode=verify-full` ([security](security.md)). Without it the embedded one is started.',
    ),
  DRIFTLOOP_DATABASE_CA: pemFile('certificates').describe(
    'File of the CA certificates (PEM) that PostgreSQL is verified against; with it `sslmode` is `verify-full`. Without it the CAs that Node.js trusts.',
  ),
  KAFKA_BROKERS: z
    .string()
    .transform(list)
    .pipe(z.array(z.string().regex(/^[^\s:]+:\d+$/, 'expected host:port')).min(1))
    .optional()
    .describe('Kafka bootstrap servers, `host:port`, separated by commas. Without it the embedded broker is started.'),
  ...kafkaSecurityKeys,
  DRIFTLOOP_ROLES: z
    .string()
    .default(ROLES.join(','))
    .transform(list)
    .pipe(z.array(z.enum(ROLES)).min(1))
    .describe('What `driftloop serve` does: `ingest`, `classify`, `api`, separated by commas.'),
  DRIFTLOOP_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Least severe level that is logged.'),
  DRIFTLOOP_API_PORT: port.default(3000).describe('Port of the API (`/v1`, `/openapi.json`). 0 takes a free one.'),
  DRIFTLOOP_MANAGEMENT_PORT: port
    .default(9464)
    .describe('Port of `/metrics`, `/healthz` and `/readyz`. 0 takes a free one.'),
  DRIFTLOOP_INGEST_API_KEYS: z
    .string()
    .default('')
    .transform(list)
    .pipe(z.array(z.string().regex(/^\S{16,}$/, 'expected keys of at least 16 characters')))
    .describe(
      'Keys that let clients post turns to `/v1/turns`, separated by commas. Without them the API takes no turns, and needs no Kafka.',
    ),
  DRIFTLOOP_HTTP_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address both HTTP servers listen on; `0.0.0.0` in a container.'),
  DRIFTLOOP_TOPIC_TURNS: z
    .string()
    .default('chat.turns')
    .describe('Topic of chat turns; dead letters go to the same name with `.dlq`.'),
  DRIFTLOOP_TOPIC_POLICY_VERSIONS: z
    .string()
    .default('policy.versions')
    .describe('Compacted topic of `policy.published` events.'),
  DRIFTLOOP_CONSUMER_GROUP: z.string().default('driftloop').describe('Kafka consumer group of the `ingest` role.'),
  DRIFTLOOP_KAFKA_SESSION_TIMEOUT_MS: positive
    .default(30_000)
    .describe('Kafka consumer session timeout, milliseconds.'),
  DRIFTLOOP_CLASSIFY_BATCH: positive
    .default(64)
    .describe('Provisional verdicts that a `classify` worker takes at once.'),
  DRIFTLOOP_REDACT: z
    .string()
    .default(REDACTION_KINDS.join(','))
    .transform((value) => (value === 'none' ? [] : list(value)))
    .pipe(z.array(z.enum(REDACTION_KINDS)))
    .describe(
      'What is replaced by placeholders before anything is stored: `secret`, `email`, `iban`, `card`, `ip`, `phone`, separated by commas; `none` switches it off.',
    ),
  DRIFTLOOP_REDACT_PHONE_COUNTRY: z
    .string()
    .regex(/^[A-Z]{2}$/, 'expected the two letters of a country (ISO 3166), such as US')
    .default('US')
    .transform((country) => country as CountryCode)
    .describe(
      'Country whose phone numbers are recognised without `+`, ISO 3166. Those with `+` are recognised of all.',
    ),
  DRIFTLOOP_PRIVACY_KEY: z
    .string()
    .min(32)
    .optional()
    .describe(
      'Secret of the keyed hashes of user ids and contents, at least 32 characters; the same for every process on one database, and never changed. Without it one is made in `privacy.key` in the state directory.',
    ),
  DRIFTLOOP_PROVISIONAL_LIMIT: positive
    .default(100_000)
    .describe('Verdicts that may wait for the second stage; with more, ingestion waits.'),
  DRIFTLOOP_FEEDBACK_EVIDENCE: z
    .enum(['on', 'off'])
    .default('on')
    .describe(
      'Whether thumbs, ratings and the like on a reply count in the verdict of the turn after it ([ingestion](ingestion.md)).',
    ),
  ...judgeKeys,
  ...reviewKeys,
  DRIFTLOOP_SHUTDOWN_GRACE_MS: positive
    .default(25_000)
    .describe('Time that SIGTERM leaves for work in hand, milliseconds.'),
  DRIFTLOOP_MODEL: z
    .string()
    .optional()
    .transform((dir) => (dir === undefined ? undefined : resolve(dir)))
    .describe('Directory of the base model (Hugging Face layout). Without it the embedded SmolLM2-135M-Instruct.'),
  DRIFTLOOP_STATE_DIR: z
    .string()
    .default('.driftloop')
    .transform((dir) => resolve(dir))
    .describe('Where the embedded database, broker log and run files live.'),
  DRIFTLOOP_POLICY_DIR: z
    .string()
    .optional()
    .transform((dir) => (dir === undefined ? undefined : resolve(dir)))
    .describe('Where published policy versions are written; `policies` in the state directory by default.'),
  DRIFTLOOP_CACHE: z
    .string()
    .optional()
    .transform((dir) => resolve(dir ?? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'driftloop')))
    .describe('Where downloads are kept, shared by checkouts; `$XDG_CACHE_HOME/driftloop` by default.'),
});

type ConfigKeys = z.output<typeof configSchema>;

const checkedSchema = configSchema.superRefine(checkDatabaseCa).superRefine(checkKafkaSecurity).superRefine(checkJudge);

/** What the environment says, validated; `policyDir` is resolved. */
export interface Config {
  databaseUrl?: string;
  kafkaBrokers?: string[];
  kafkaSecurity?: KafkaSecurity;
  roles: Role[];
  logLevel: ConfigKeys['DRIFTLOOP_LOG_LEVEL'];
  apiPort: number;
  managementPort: number;
  ingestApiKeys: string[];
  httpHost: string;
  topics: { turns: string; deadLetters: string; policyVersions: string };
  consumerGroup: string;
  kafkaSessionTimeoutMs: number;
  classifyBatch: number;
  provisionalLimit: number;
  feedbackEvidence: boolean;
  reviewers: Reviewer[];
  review: { leaseMinutes: number; doubleShare: number };
  /** The language model that judges uncertain turns. */
  judge?: JudgeSettings;
  redaction: RedactionSettings;
  privacyKey?: string;
  shutdownGraceMs: number;
  modelDir?: string;
  stateDir: string;
  policyDir: string;
  cacheDir: string;
}

/**
 * Reads and checks the environment.
 * @throws DriftError `config-invalid`, naming every bad key, what was wrong and what is allowed.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(
    Object.keys(configSchema.shape).flatMap((key) => {
      const value = env[key] || secretFrom(key, env);
      return value ? [[key, value]] : [];
    }),
  );
  const result = checkedSchema.safeParse(given);
  if (!result.success) throw invalid(result.error);
  return toConfig(result.data);
}

/** Keys that may be in a file instead, which the key with `_FILE` names. */
export const SECRETS = [
  'DATABASE_URL',
  'DRIFTLOOP_PRIVACY_KEY',
  'DRIFTLOOP_REVIEWERS',
  'DRIFTLOOP_KAFKA_SASL_PASSWORD',
  'DRIFTLOOP_KAFKA_OAUTH_CLIENT_SECRET',
  'DRIFTLOOP_JUDGE_API_KEY',
];

function secretFrom(key: string, env: NodeJS.ProcessEnv): string | undefined {
  const file = SECRETS.includes(key) ? env[`${key}_FILE`] : undefined;
  return file ? readConfigured(`${key}_FILE`, file).trim() : undefined;
}

function invalid(error: z.ZodError): DriftError {
  const problems = error.issues.map((issue) => `${issue.path[0]?.toString()}: ${issue.message}`);
  return new DriftError(
    'config-invalid',
    `The configuration is not valid (see docs/configuration.md):\n  ${problems.join('\n  ')}`,
    { facts: { problems } },
  );
}

function toConfig(keys: ConfigKeys): Config {
  return {
    databaseUrl: withDatabaseCa(keys),
    kafkaBrokers: keys.KAFKA_BROKERS,
    kafkaSecurity: kafkaSecurityOf(keys),
    roles: keys.DRIFTLOOP_ROLES,
    logLevel: keys.DRIFTLOOP_LOG_LEVEL,
    apiPort: keys.DRIFTLOOP_API_PORT,
    managementPort: keys.DRIFTLOOP_MANAGEMENT_PORT,
    ingestApiKeys: keys.DRIFTLOOP_INGEST_API_KEYS,
    httpHost: keys.DRIFTLOOP_HTTP_HOST,
    topics: {
      turns: keys.DRIFTLOOP_TOPIC_TURNS,
      deadLetters: `${keys.DRIFTLOOP_TOPIC_TURNS}.dlq`,
      policyVersions: keys.DRIFTLOOP_TOPIC_POLICY_VERSIONS,
    },
    consumerGroup: keys.DRIFTLOOP_CONSUMER_GROUP,
    kafkaSessionTimeoutMs: keys.DRIFTLOOP_KAFKA_SESSION_TIMEOUT_MS,
    classifyBatch: keys.DRIFTLOOP_CLASSIFY_BATCH,
    provisionalLimit: keys.DRIFTLOOP_PROVISIONAL_LIMIT,
    feedbackEvidence: keys.DRIFTLOOP_FEEDBACK_EVIDENCE === 'on',
    reviewers: keys.DRIFTLOOP_REVIEWERS,
    review: { leaseMinutes: keys.DRIFTLOOP_REVIEW_LEASE_MINUTES, doubleShare: keys.DRIFTLOOP_REVIEW_DOUBLE_SHARE },
    judge: judgeOf(keys),
    redaction: { kinds: keys.DRIFTLOOP_REDACT, phoneCountry: keys.DRIFTLOOP_REDACT_PHONE_COUNTRY },
    privacyKey: keys.DRIFTLOOP_PRIVACY_KEY,
    shutdownGraceMs: keys.DRIFTLOOP_SHUTDOWN_GRACE_MS,
    modelDir: keys.DRIFTLOOP_MODEL,
    stateDir: keys.DRIFTLOOP_STATE_DIR,
    policyDir: keys.DRIFTLOOP_POLICY_DIR ?? join(keys.DRIFTLOOP_STATE_DIR, 'policies'),
    cacheDir: keys.DRIFTLOOP_CACHE,
  };
}
