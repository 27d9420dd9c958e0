import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel, type Message } from 'kafkajs';
import { expect, inject, it, onTestFinished } from 'vitest';
import { waitUntilSettled } from '../../src/chat-log/settled.js';
import { createDataSource } from '../../src/database/data-source.js';
import { asRecord, turnEvent } from '../factories/turns.js';
import { createTestDatabase, createTestTopics, testBrokers, testEnv } from '../stack.js';
import { streamTables } from '../stream-tables.js';
import { MAIN, startServe, waitFor } from './serve-process.js';

const CONVERSATIONS = 120;
/** So that the replay still goes on while the service is killed. */
const TURNS_PER_SECOND = 60;
/** Shares of the turns after which the service is killed. */
const KILLS = [0.1, 0.4, 0.7];

/** What has to be put aside, wherever it arrives. */
const BAD_RECORDS: Message[] = [
  { key: 'bad', value: 'no json' },
  asRecord(turnEvent({ conversationId: 'rewritten', content: 'first' })),
  asRecord(turnEvent({ conversationId: 'rewritten', content: 'second' })),
];

it('ends with the same tables after kill -9 in the middle of a replay as without', async () => {
  const undisturbed = await Place.create();
  const service = await undisturbed.serve();
  const turns = await undisturbed.replay();
  await undisturbed.settled();
  await service.end('SIGTERM');
  const expected = await streamTables(undisturbed.dataSource);
  expect(expected.turns).toHaveLength(turns + 1);
  expect(expected.anchors.length).toBeGreaterThan(0);
  expect(expected.seedPairs.length).toBeGreaterThan(0);
  expect(expected.deadLetters).toHaveLength(2);

  const disturbed = await Place.create();
  let current = await disturbed.serve();
  const replay = disturbed.replay(TURNS_PER_SECOND);
  for (const share of KILLS) {
    await waitFor(async () => ((await disturbed.storedTurns()) >= share * turns ? true : undefined), 5);
    expect(await current.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await disturbed.storedTurns()).toBeLessThan(turns);
    current = await disturbed.serve();
  }
  await replay;
  await disturbed.settled();
  await current.end('SIGTERM');
  expect(await streamTables(disturbed.dataSource)).toEqual(expected);
});

/** A database, topics and a state directory of its own, for services and replays. */
class Place {
  private constructor(
    private readonly env: Record<string, string>,
    private readonly topic: string,
    private readonly dir: string,
    readonly dataSource: ReturnType<typeof createDataSource>,
  ) {}

  static async create(): Promise<Place> {
    const [database, topics] = await Promise.all([createTestDatabase(), createTestTopics()]);
    const dir = await mkdtemp(join(tmpdir(), 'driftloop-kill-'));
    const env = { ...testEnv(database, topics, dir), DRIFTLOOP_KAFKA_SESSION_TIMEOUT_MS: '6000' };
    const dataSource = await createDataSource(database.url, 2).initialize();
    onTestFinished(async () => {
      await dataSource.destroy();
      await database.drop();
      await rm(dir, { recursive: true });
    });
    return new Place(env, topics.turns, dir, dataSource);
  }

  async serve() {
    const service = await startServe(this.env, this.dir);
    onTestFinished(() => void service.child.kill('SIGKILL'));
    return service;
  }

  /** Real conversations by the command, then the bad records; returns how many turns the command produced. */
  async replay(rate?: number): Promise<number> {
    const options = ['--conversations', String(CONVERSATIONS), '--json', ...(rate ? ['--rate', String(rate)] : [])];
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'replay', ...options], {
      env: { ...process.env, ...this.env },
    });
    const producer = new Kafka({ brokers: testBrokers(), logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    for (const record of BAD_RECORDS) await producer.send({ topic: this.topic, messages: [record] });
    await producer.disconnect();
    return (JSON.parse(stdout) as { turns: number }).turns;
  }

  async storedTurns(): Promise<number> {
    const [{ count }] = await this.dataSource.query<[{ count: number }]>('SELECT count(*)::int FROM turns');
    return count;
  }

  settled(): Promise<void> {
    const { dataSource, topic } = this;
    const consumerGroup = this.env.DRIFTLOOP_CONSUMER_GROUP!;
    return waitUntilSettled({ dataSource, kafka: inject('stack'), topic, consumerGroup });
  }
}
