import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RecordReader } from '../../src/chat-log/record-reader.js';
import { Readiness } from '../../src/health/readiness.js';
import { asRecord, conversation } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

const CONTENTS = ['Sort a list?', 'Sort the list.', 'BAD', 'Sorted the list.', 'MAYBE GOOD', 'Fine.', 'MAYBE BAD'];

/** Conversations that make anchors and seed pairs, a bad record and a conflict among them. */
function records(conversations: number) {
  const turns = Array.from({ length: conversations }, (_, index) => conversation(`c${index}`, CONTENTS)).flat();
  const conflict = { ...turns[3]!, content: 'rewritten' };
  return [...turns.map(asRecord), { key: 'bad', value: 'no json' }, asRecord(conflict)];
}

/** Until the group has so many members. */
async function membersOf({ kafka, config }: IngestHarness, members: number): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  for (;;) {
    const { groups } = await admin.describeGroups([config.consumerGroup]);
    const { state, members: found } = groups[0]!;
    if (state === 'Stable' && found.length === members) break;
    await sleep(100);
  }
  await admin.disconnect();
}

describe('delivery', () => {
  let harness: IngestHarness;

  beforeEach(async () => {
    harness = await IngestHarness.create();
  });
  afterEach(() => harness.close());

  async function undisturbed(conversations: number): Promise<unknown> {
    const other = await IngestHarness.create();
    await other.produce(records(conversations));
    await other.startConsumer();
    await other.stored();
    await other.settle();
    const tables = await other.tables();
    await other.close();
    return tables;
  }

  it('has no effect the second time, where the offsets are set back', async () => {
    await harness.produce(records(5));
    const consumer = await harness.startConsumer();
    await harness.stored();
    await harness.settle();
    const tables = await harness.tables();
    expect(tables).toEqual(await undisturbed(5));
    await harness.stopConsumer(consumer);
    await harness.dataSource.query('UPDATE consumer_offsets SET next_offset = 0');
    await harness.startConsumer();
    await harness.stored();
    await harness.settle();
    expect(await harness.tables()).toEqual(tables);
  });

  it('reads on from where PostgreSQL says, whatever Kafka has for the group', async () => {
    await harness.produce(records(2));
    const consumer = await harness.startConsumer();
    await harness.stored();
    await harness.stopConsumer(consumer);
    const tables = await harness.tables();
    await harness.dataSource.query('TRUNCATE turns, dead_letters, consumer_offsets CASCADE');
    await harness.startConsumer();
    await harness.stored();
    expect(await harness.tables()).toEqual(tables);
  });

  it('reads again what PostgreSQL has lost while the consumer runs', async () => {
    const turns = conversation('c', CONTENTS).map(asRecord);
    await harness.produce(turns.slice(0, 4));
    await harness.startConsumer();
    await harness.stored();
    await harness.dataSource.query('TRUNCATE turns, dead_letters CASCADE');
    await harness.dataSource.query('UPDATE consumer_offsets SET next_offset = 0');
    await harness.produce(turns.slice(4));
    await harness.stored();
    expect(await harness.rows('turns')).toHaveLength(turns.length);
    expect(await harness.rows('verdicts')).toHaveLength(3);
  });

  it('starts again at the first record where the stored offset is one that the broker does not have', async () => {
    await harness.produce(records(1));
    const partitions = [0, 1, 2, 3, 4, 5];
    await harness.dataSource.query(
      'INSERT INTO consumer_offsets (consumer_group, topic, partition, next_offset) SELECT $1, $2, unnest($3::integer[]), 1000',
      [harness.config.consumerGroup, harness.config.topics.turns, partitions],
    );
    const errors = vi.spyOn(Logger.prototype, 'error');
    await harness.startConsumer();
    while ((await harness.rows('turns')).length < 7) await sleep(20);
    await harness.stored();
    const told = errors.mock.calls.map(([text]) => String(text));
    expect(told.filter((text) => text.includes('is not in the topic'))).toHaveLength(partitions.length);
    expect(Math.max(...(await harness.rows('consumer_offsets')).map((row) => Number(row.next_offset)))).toBeLessThan(
      1000,
    );
  });

  it('judges exchanges whose turns come days and restarts apart, from replies of several policy versions', async () => {
    const turns = conversation('c', CONTENTS).map((turn, day) => ({
      ...turn,
      occurredAt: `2026-02-0${day + 1}T00:00:00Z`,
      ...(turn.role === 'assistant' ? { policyVersion: `v${day}` } : {}),
    }));
    for (const turn of turns) {
      await harness.produce([asRecord(turn)]);
      const consumer = await harness.startConsumer();
      await harness.stored();
      await harness.stopConsumer(consumer);
      await harness.settle();
    }
    expect((await harness.rows('verdicts')).map(({ turn, label }) => [turn, label])).toEqual([
      [2, 'dsat'],
      [4, 'sat'],
      [6, 'dsat'],
    ]);
    expect((await harness.rows('anchors')).map(({ turn, policy_version }) => [turn, policy_version])).toEqual([
      [2, 'v1'],
      [6, 'v5'],
    ]);
    expect(await harness.rows('seed_pairs')).toMatchObject([{ turn: 2, chosen_turn: 3, sat_turn: 4 }]);
  });

  it('equals an undisturbed run while consumers join and leave', async () => {
    const expected = await undisturbed(60);
    const all = records(60);
    const first = await harness.startConsumer();
    await harness.produce(all.slice(0, 150));
    const second = await harness.startConsumer();
    await harness.produce(all.slice(150, 300));
    await harness.stopConsumer(first);
    await harness.startConsumer();
    await harness.produce(all.slice(300));
    await harness.stopConsumer(second);
    await harness.stored();
    await harness.settle();
    expect(await harness.tables()).toEqual(expected);
  });

  it('stays in its group when the clock steps back', async () => {
    const now = Date.now;
    const ahead = vi.spyOn(Date, 'now').mockImplementation(() => now() + 3_600_000);
    onTestFinished(() => ahead.mockRestore());
    await harness.startConsumer();
    const second = await harness.startConsumer();
    await harness.produce(records(2));
    await harness.stored();
    await membersOf(harness, 2);
    ahead.mockRestore();
    await harness.stopConsumer(second);
    await harness.produce(records(6));
    await harness.stored();
    await harness.settle();
    expect(await harness.tables()).toEqual(await undisturbed(6));
  });

  it('stores all where the thread that reads dies with records in hand', async () => {
    const errors = vi.spyOn(Logger.prototype, 'error');
    const reader = (await harness.startConsumer()).get(RecordReader);
    const read = reader.read.bind(reader);
    vi.spyOn(reader, 'read').mockImplementationOnce((...asked) => {
      const records = read(...asked);
      void reader.close();
      return records;
    });
    await harness.produce(records(10));
    await harness.stored();
    const told = errors.mock.calls.map(([text]) => String(text));
    expect(told).toContainEqual(expect.stringMatching(/started again: .*thread that reads records is gone/));
    await harness.settle();
    expect(await harness.tables()).toEqual(await undisturbed(10));
  });

  it('stores no batch of a partition while the one before it fails', async () => {
    // More than a fetch takes.
    const contents = Array.from({ length: 24 }, (_, turn) => `${turn} ${'word '.repeat(30_000)}`);
    await harness.produce(conversation('long', contents).map(asRecord));
    const read = vi.spyOn(RecordReader.prototype, 'read');
    onTestFinished(() => read.mockRestore());
    let stored: unknown[] | undefined;
    read.mockImplementationOnce(async () => {
      await vi.waitFor(() => expect(read).toHaveBeenCalledTimes(2), 10_000);
      await read.mock.results[1]!.value;
      await sleep(200);
      stored = await harness.rows('turns');
      throw new Error('The first batch is not read.');
    });
    await harness.startConsumer();
    await harness.stored();
    expect(stored).toEqual([]);
    expect((await harness.rows('turns')).map(({ turn }) => turn)).toEqual(contents.map((_, turn) => turn));
  });

  it('waits while PostgreSQL is away, and drops nothing', async () => {
    const consumer = await harness.startConsumer();
    await harness.produce(records(1));
    await harness.stored();
    await harness.whileDatabaseIsAway(async () => {
      await harness.produce(records(20));
      expect(await consumer.get(Readiness).reasons()).toHaveProperty('database');
    });
    await harness.stored();
    await harness.settle();
    expect(await harness.tables()).toEqual(await undisturbed(20));
  });

  it('says why nobody waits any longer until it is settled', async () => {
    await harness.produce(records(1));
    const stop = new AbortController();
    const why = new Error('interrupted');
    const waiting = harness.settled(() => setImmediate(() => stop.abort(why)), stop.signal);
    await expect(waiting).rejects.toBe(why);
  });

  it('ends in time while PostgreSQL is away', async () => {
    const consumer = await harness.startConsumer();
    await harness.whileDatabaseIsAway(async () => {
      await harness.produce(records(1));
      await sleep(500);
      await harness.stopConsumer(consumer);
    });
    expect(await harness.rows('turns')).toEqual([]);
  });
});
