import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { asRecord, conversation } from '../factories/turns.js';
import { createTestDatabase, createTestTopics, testBrokers, testEnv } from '../stack.js';
import { type ServeProcess, startServe, waitFor } from './serve-process.js';

const CONVERSATIONS = 6_000;
const EXCHANGE = ['How do I sort a list?', 'Call sort().', 'That is not what I asked for.', 'Call sorted().', 'thanks'];
const TURNS = CONVERSATIONS * EXCHANGE.length;

const dir = await mkdtemp(join(tmpdir(), 'driftloop-serve-'));
const [database, topics] = await Promise.all([createTestDatabase(), createTestTopics()]);
// Members that are killed are gone after the shortest time that a broker takes.
const env: Record<string, string> = { ...testEnv(database, topics, dir), DRIFTLOOP_KAFKA_SESSION_TIMEOUT_MS: '6000' };
const dataSource = createDataSource(database.url, 2);
const kafka = new Kafka({ brokers: testBrokers(), logLevel: logLevel.NOTHING });

beforeAll(async () => {
  await dataSource.initialize();
  await produce();
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
  await rm(dir, { recursive: true });
});

async function produce(): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  for (let first = 0; first < CONVERSATIONS; first += 1_000) {
    const ids = Array.from({ length: 1_000 }, (_, index) => `conversation-${first + index}`);
    await producer.send({
      topic: topics.turns,
      messages: ids.flatMap((id) => conversation(id, EXCHANGE)).map(asRecord),
    });
  }
  await producer.disconnect();
}

async function serve(more: Record<string, string> = {}): Promise<ServeProcess> {
  const service = await startServe({ ...env, ...more }, dir);
  onTestFinished(() => void service.child.kill('SIGKILL'));
  return service;
}

async function storedTurns(): Promise<number> {
  const [{ count }] = await dataSource.query<[{ count: number }]>('SELECT count(*)::int FROM turns');
  return count;
}

/** By partition, in the order of partitions. */
async function offsets(): Promise<{ stored: number[]; committed: number[] }> {
  const rows = await dataSource.query<{ next: number }[]>(
    'SELECT next_offset::int AS next FROM consumer_offsets ORDER BY partition',
  );
  const admin = kafka.admin();
  await admin.connect();
  const [group] = await admin.fetchOffsets({ groupId: env.DRIFTLOOP_CONSUMER_GROUP!, topics: [topics.turns] });
  await admin.disconnect();
  const partitions = group!.partitions.toSorted((a, b) => a.partition - b.partition);
  return { stored: rows.map(({ next }) => next), committed: partitions.map(({ offset }) => Number(offset)) };
}

it('on SIGTERM under load finishes the batch in hand, ends with 0, and goes on from there', async () => {
  const first = await serve();
  await waitFor(async () => ((await storedTurns()) > 0 ? true : undefined), 5);
  expect(await first.end('SIGTERM')).toEqual({ code: 0, signal: null });
  const stored = await storedTurns();
  expect(stored).toBeLessThan(TURNS);

  // A batch that was told to Kafka is in PostgreSQL, whole: one record is one turn here.
  const told = await offsets();
  expect(told.stored.reduce((sum, next) => sum + next, 0)).toBe(stored);
  for (const [partition, offset] of told.committed.entries())
    expect(offset).toBeLessThanOrEqual(told.stored[partition] ?? 0);

  const second = await serve();
  await waitFor(async () => ((await storedTurns()) === TURNS ? true : undefined));
  await waitFor(async () => {
    const response = await fetch(`http://127.0.0.1:${second.managementPort}/readyz`);
    return response.ok ? true : undefined;
  });
  expect(await second.end('SIGTERM')).toEqual({ code: 0, signal: null });

  const verdicts = await dataSource.query('SELECT 1 FROM verdicts WHERE turn NOT IN (2, 4)');
  expect(verdicts).toEqual([]);
  expect(await dataSource.query('SELECT count(*)::int FROM verdicts')).toEqual([{ count: 2 * CONVERSATIONS }]);
  expect(await dataSource.query('SELECT count(*)::int FROM dead_letters')).toEqual([{ count: 0 }]);
});

it('leaves the group when it stops, so that another consumer need not wait for the session to time out', async () => {
  const service = await serve();
  const admin = kafka.admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  const members = async () => (await admin.describeGroups([env.DRIFTLOOP_CONSUMER_GROUP!])).groups[0]?.members.length;
  await waitFor(async () => ((await members()) === 1 ? true : undefined));
  expect(await service.end('SIGINT')).toEqual({ code: 0, signal: null });
  expect(await members()).toBe(0);
});

/** Keeps a batch in hand: the transaction that stores it waits for this lock. */
async function holdBatch(): Promise<() => Promise<void>> {
  const lock = dataSource.createQueryRunner();
  await lock.startTransaction();
  await lock.query('LOCK TABLE turns IN SHARE MODE');
  const release = async () => {
    if (!lock.isReleased) await lock.rollbackTransaction().finally(() => lock.release());
  };
  onTestFinished(release);
  const producer = kafka.producer();
  await producer.connect();
  const late = conversation(`held-${Date.now()}`, EXCHANGE);
  await producer.send({ topic: topics.turns, messages: late.map(asRecord) });
  await producer.disconnect();
  return release;
}

async function untilBatchWaits(): Promise<void> {
  await waitFor(async () => {
    const [{ waits }] = await dataSource.query<[{ waits: boolean }]>(
      `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS waits`,
    );
    return waits ? true : undefined;
  });
}

it('is not ready while it drains, and ends with 0 once the batch in hand is stored', async () => {
  const release = await holdBatch();
  const service = await serve();
  await untilBatchWaits();
  const ended = service.end('SIGTERM');
  const reasons = await waitFor(async () => {
    const response = await fetch(`http://127.0.0.1:${service.managementPort}/readyz`);
    return response.status === 503 ? ((await response.json()) as { reasons: unknown }).reasons : undefined;
  });
  expect(reasons).toEqual({ service: 'shutting down' });
  await release();
  expect(await ended).toEqual({ code: 0, signal: null });
  expect(await storedTurns()).toBe(TURNS + EXCHANGE.length);
});

it('ends with 1 when the batch in hand outlives the grace period, and at once at a second signal', async () => {
  const release = await holdBatch();
  const impatient = await serve({ DRIFTLOOP_SHUTDOWN_GRACE_MS: '200' });
  await untilBatchWaits();
  expect(await impatient.end('SIGTERM')).toEqual({ code: 1, signal: null });
  expect(impatient.output()).toContain('DRIFTLOOP_SHUTDOWN_GRACE_MS');

  const interrupted = await serve();
  await untilBatchWaits();
  interrupted.child.kill('SIGTERM');
  await waitFor(async () => (interrupted.output().includes('shutting down') ? true : undefined));
  expect(await interrupted.end('SIGTERM')).toEqual({ code: 1, signal: null });

  await release();
  const last = await serve();
  await waitFor(async () => ((await storedTurns()) === TURNS + 2 * EXCHANGE.length ? true : undefined));
  expect(await last.end('SIGTERM')).toEqual({ code: 0, signal: null });
});
