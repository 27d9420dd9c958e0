import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { asRecord, conversation } from '../factories/turns.js';
import { createTestDatabase, createTestTopics, testBrokers, testEnv } from '../stack.js';
import { type ServeProcess, startServe, waitFor } from './serve-process.js';

const CONVERSATIONS = 8_000;
const REPLY_BYTES = 64 * 1024;
/** Far less than the 500 MB that wait in Kafka. */
const MOST_MB = 360;
const WATCHED_MS = 6_000;

const dir = await mkdtemp(join(tmpdir(), 'driftloop-memory-'));
const [database, topics] = await Promise.all([createTestDatabase(), createTestTopics()]);
const env: Record<string, string> = { ...testEnv(database, topics, dir), DRIFTLOOP_KAFKA_SESSION_TIMEOUT_MS: '6000' };
const dataSource = createDataSource(database.url, 2);

/** Resident memory is read from /proc. */
describe.runIf(process.platform === 'linux')('memory', () => {
  beforeAll(async () => {
    await dataSource.initialize();
    await produce();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
    await rm(dir, { recursive: true });
  });

  it('is bounded while the database does not take what is read', async () => {
    const lock = dataSource.createQueryRunner();
    await lock.startTransaction();
    await lock.query('LOCK TABLE turns IN ACCESS EXCLUSIVE MODE');
    const service = await serve({ DRIFTLOOP_ROLES: 'ingest' });
    await waitFor(async () => ((await waiting()) > 0 ? true : undefined));
    expect(await largestMb(service)).toBeLessThan(MOST_MB);
    expect(await storedRecords()).toBe(0);
    await lock.rollbackTransaction();
    await lock.release();
    await waitFor(async () => ((await storedRecords()) > 0 ? true : undefined));
    expect(await service.end('SIGTERM')).toMatchObject({ code: 0 });
  });

  it('is bounded while no second stage settles what is stored', async () => {
    const service = await serve({ DRIFTLOOP_ROLES: 'ingest', DRIFTLOOP_PROVISIONAL_LIMIT: '500' });
    await waitFor(async () => ((await metric(service, 'driftloop_ingest_held')) === 1 ? true : undefined));
    const held = await waitFor(unchangedRecords);
    expect(await largestMb(service)).toBeLessThan(MOST_MB);
    expect(await storedRecords()).toBe(held);
    expect(held).toBeLessThan(CONVERSATIONS * 3);
    expect(await service.end('SIGTERM')).toMatchObject({ code: 0 });
  });
});

/** The first stage leaves each user turn that answers to the second. */
async function produce(): Promise<void> {
  const producer = new Kafka({ brokers: testBrokers(), logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  for (let index = 0; index < CONVERSATIONS; index += 20) {
    const messages = Array.from({ length: 20 }, (_, beside) => {
      const reply = randomBytes(REPLY_BYTES / 2).toString('hex');
      return conversation(`c${index + beside}`, ['How do I sort a list?', reply, 'why does it fail?']).map(asRecord);
    });
    await producer.send({ topic: topics.turns, messages: messages.flat() });
  }
  await producer.disconnect();
}

async function serve(more: Record<string, string>): Promise<ServeProcess> {
  const service = await startServe({ ...env, ...more }, dir);
  onTestFinished(() => void service.child.kill('SIGKILL'));
  return service;
}

async function largestMb({ child }: ServeProcess): Promise<number> {
  let largest = 0;
  for (const end = performance.now() + WATCHED_MS; performance.now() < end; await sleep(50)) {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    largest = Math.max(largest, Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / 1_024);
  }
  return largest;
}

/** Transactions that wait for the lock. */
async function waiting(): Promise<number> {
  const [{ count }] = await dataSource.query<[{ count: number }]>(
    `SELECT count(*)::int FROM pg_locks JOIN pg_database d ON d.oid = database
     WHERE NOT granted AND datname = current_database()`,
  );
  return count;
}

/** Undefined while transactions that began before the limit still end. */
async function unchangedRecords(): Promise<number | undefined> {
  const before = await storedRecords();
  await sleep(1_000);
  return (await storedRecords()) === before ? before : undefined;
}

async function storedRecords(): Promise<number> {
  const [{ sum }] = await dataSource.query<[{ sum: number }]>(
    'SELECT coalesce(sum(next_offset), 0)::int AS sum FROM consumer_offsets',
  );
  return sum;
}

async function metric({ managementPort }: ServeProcess, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${managementPort}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
}
