import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, CompressionTypes, type ITopicConfig, type Message } from 'kafkajs';
import { register } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeTopics, serviceTopics } from '../../src/stack/topics.js';
import { asRecord, conversation } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

const CONTENTS = ['Sort a list?', 'Sort the list.', 'BAD', 'Sorted the list.', 'GOOD'];

/** As many records for every partition as conversations, each with a bad record of its own. */
function records(name: string, conversations: number): Message[] {
  return Array.from({ length: 6 }, (_, partition) =>
    Array.from({ length: conversations }, (_, index) => [
      ...conversation(`${name}-${partition}-${index}`, CONTENTS).map((turn) => ({ ...asRecord(turn), partition })),
      { key: 'bad', value: `${name} ${partition} ${index} is no JSON`, partition },
    ]).flat(),
  ).flat();
}

const WHEN = ['while nobody reads it', 'under a running consumer'] as const;

describe('a topic that is made again', () => {
  let harness: IngestHarness;
  let admin: Admin;

  beforeEach(async () => {
    harness = await IngestHarness.create();
    admin = harness.kafka.admin();
    await admin.connect();
  });
  afterEach(async () => {
    await admin.disconnect();
    await harness.close();
  });

  async function remake(given: Partial<ITopicConfig> = {}): Promise<void> {
    const { turns } = harness.config.topics;
    const definition = { ...serviceTopics(harness.config.topics)[0]!, ...given };
    await admin.deleteTopics({ topics: [turns] });
    while ((await admin.listTopics()).includes(turns)) await sleep(20);
    await makeTopics(admin, [definition]);
  }

  async function send(messages: Message[]): Promise<void> {
    // A topic that was just made may take some partitions later: what is sent again is not to be there twice.
    const producer = harness.kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    await producer.send({ topic: harness.config.topics.turns, messages, compression: CompressionTypes.None });
    await producer.disconnect();
  }

  async function storedTurns(count: number): Promise<void> {
    while ((await harness.rows('turns')).length < count) await sleep(50);
    await harness.stored();
    expect(await harness.rows('turns')).toHaveLength(count);
  }

  /** Acts once the first 60 turns are stored, by a consumer that goes on meanwhile or comes back afterwards. */
  async function act(when: (typeof WHEN)[number], acting: () => Promise<void>): Promise<void> {
    const consumer = await harness.startConsumer();
    await storedTurns(60);
    if (when === 'while nobody reads it') await harness.stopConsumer(consumer);
    await acting();
    if (when === 'while nobody reads it') await harness.startConsumer();
  }

  const letters = async () => new Set((await harness.rows('dead_letters')).map(({ sha256 }) => sha256)).size;

  it.each(WHEN)('is read whole when it is already longer than the stored offset, with an alarm: %s', async (when) => {
    const before = await restarts();
    await send(records('old', 2));
    await act(when, async () => {
      await remake();
      await send(records('new', 3));
    });
    await storedTurns(150);
    expect(await letters()).toBe(6 * 5);
    expect(await harness.rows('seed_pairs')).toHaveLength(30);
    expect(await restarts()).toBe(before + 6);
    if (when === 'while nobody reads it') expect(await restarts('other-record')).toBe(6);
  });

  it('is read whole when it is shorter than the stored offset', async () => {
    const before = await restarts();
    await send(records('old', 2));
    await harness.startConsumer();
    await storedTurns(60);
    await remake();
    await send(records('new', 1));
    await storedTurns(90);
    expect(await letters()).toBe(6 * 3);
    expect(await restarts()).toBe(before + 6);
  });

  it.each(WHEN)('is read on without alarm where retention took the last record stored: %s', async (when) => {
    const before = await restarts();
    await send(records('old', 2));
    await act(when, async () => {
      await admin.fetchTopicOffsets(harness.config.topics.turns); // kafkajs then knows the topic
      const partitions = Array.from({ length: 6 }, (_, partition) => ({ partition, offset: '12' }));
      await admin.deleteTopicRecords({ topic: harness.config.topics.turns, partitions });
      await send(records('new', 1));
    });
    await storedTurns(90);
    expect(await restarts()).toBe(before);
  });

  it('reads on after the marks of transactions, and stores no turn of one that was aborted', async () => {
    const before = await restarts();
    const producer = harness.kafka.producer({
      transactionalId: `tx-${harness.config.topics.turns}`,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    const send = async (name: string, end: 'commit' | 'abort') => {
      const transaction = await producer.transaction();
      await transaction.send({ topic: harness.config.topics.turns, messages: records(name, 1) });
      await transaction[end]();
    };
    await send('first', 'commit');
    let consumer = await harness.startConsumer();
    await storedTurns(30);
    for (const [index, end] of (['abort', 'commit', 'commit'] as const).entries()) {
      await send(`${end}-${index}`, end);
      await sleep(300);
      await harness.stopConsumer(consumer);
      consumer = await harness.startConsumer();
    }
    await storedTurns(90);
    await producer.disconnect();
    expect(await restarts()).toBe(before);
  });

  it('gets past a record that is larger than a fetch', async () => {
    const large = 'x'.repeat(900_000);
    await harness.startConsumer();
    for (let index = 0; index < 4; index++) {
      await send(
        ['Hm?', large, large, large].map((content, turn) => ({
          ...asRecord(conversation(`c${index}`, ['', '', '', '']).map((event) => ({ ...event, content }))[turn]!),
          partition: 0,
        })),
      );
    }
    await storedTurns(16);
    expect(await harness.rows('dead_letters')).toEqual([]);
  });
});

async function restarts(reason?: string): Promise<number> {
  const { values } = await register.getSingleMetric('driftloop_ingest_partition_restarts_total')!.get();
  return values
    .filter(({ labels }) => reason === undefined || labels.reason === reason)
    .reduce((sum, { value }) => sum + value, 0);
}
