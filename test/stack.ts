import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { type Config, loadConfig } from '../src/config/config.js';
import type { KafkaServers } from '../src/kafka/kafka-servers.js';
import type { Stack } from '../src/stack/stack.js';
import { ensureTopics, serviceTopics } from '../src/stack/topics.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The servers of all medium and end-to-end tests. */
    stack: Stack;
  }
}

/** A database with the whole schema and no rows; test databases are copies of it. */
export const TEMPLATE = 'driftloop_template';

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

/** A fresh database with the whole schema, of this test alone. What is not dropped goes with the server. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  return {
    url: databaseAt(inject('stack').databaseUrl, name),
    drop: () => asAdmin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

export function testBrokers(): string[] {
  return inject('stack').kafkaBrokers;
}

/** The service's topics under names of this test alone, made on the broker. */
export async function createTestTopics(servers: KafkaServers = inject('stack')): Promise<Config['topics']> {
  const id = randomUUID().slice(0, 8);
  const topics = { turns: `turns-${id}`, deadLetters: `turns-${id}.dlq`, policyVersions: `versions-${id}` };
  await ensureTopics(servers, serviceTopics(topics));
  return topics;
}

/**
 * What a `driftloop` process needs to work on this test's database and topics: its environment. Free ports, its own
 * consumer group.
 */
export function testEnv(database: TestDatabase, topics: Config['topics'], stateDir: string): Record<string, string> {
  return {
    DATABASE_URL: database.url,
    KAFKA_BROKERS: testBrokers().join(','),
    DRIFTLOOP_TOPIC_TURNS: topics.turns,
    DRIFTLOOP_TOPIC_POLICY_VERSIONS: topics.policyVersions,
    DRIFTLOOP_CONSUMER_GROUP: `group-${topics.turns}`,
    DRIFTLOOP_API_PORT: '0',
    DRIFTLOOP_MANAGEMENT_PORT: '0',
    DRIFTLOOP_STATE_DIR: stateDir,
    DRIFTLOOP_PRIVACY_KEY: 'the key of all tests, 32 characters',
    DRIFTLOOP_CACHE: process.env.DRIFTLOOP_CACHE ?? '',
  };
}

/** The same as a configuration, for a service inside of the test's process. */
export function testConfig(database: TestDatabase, topics: Config['topics'], stateDir: string): Config {
  return loadConfig(testEnv(database, topics, stateDir));
}

export function databaseAt(url: string, database: string): string {
  return Object.assign(new URL(url), { pathname: `/${database}` }).href;
}

async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client(inject('stack').databaseUrl);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
