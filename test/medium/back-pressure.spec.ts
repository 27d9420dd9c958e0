import { setTimeout as sleep } from 'node:timers/promises';
import { register } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asRecord, conversation } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

/** Each leaves one verdict to the second stage. */
const conversations = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) =>
    conversation(`c${from + index}`, ['Sort?', 'Sorted.', 'MAYBE BAD']),
  ).flat();

/** Records that are not stored, as the metrics show it. */
async function lag(): Promise<number> {
  const { values } = await register.getSingleMetric('driftloop_consumer_lag_records')!.get();
  return values.reduce((sum, { value }) => sum + value, 0);
}

describe('back-pressure', () => {
  let harness: IngestHarness;
  afterEach(() => harness.close());

  describe('of the second stage', () => {
    beforeEach(async () => {
      harness = await IngestHarness.create({ DRIFTLOOP_PROVISIONAL_LIMIT: '20' });
    });

    it('holds the stream at the limit of its backlog, and lets it go on once it is lower', async () => {
      await harness.startConsumer();
      await harness.produce(conversations(0, 25).map(asRecord));
      await harness.stored();
      await sleep(1_100); // as old as the count may be
      await harness.produce(conversations(25, 10).map(asRecord));
      await sleep(2_500);
      const turns = (await harness.rows('turns')).length;
      expect(turns).toBeLessThan(105);
      while ((await lag()) !== 105 - turns) await sleep(100);
      await harness.settle();
      await harness.stored();
      await harness.settle();
      expect(await harness.rows('turns')).toHaveLength(105);
      expect(await harness.rows('anchors')).toHaveLength(35);
    });

    it('does not keep a held consumer from ending', async () => {
      await harness.produce(conversations(0, 25).map(asRecord));
      const consumer = await harness.startConsumer();
      await harness.stored();
      await sleep(1_100); // as old as the count may be
      await harness.produce(conversations(25, 10).map(asRecord));
      await sleep(1_500);
      await harness.stopConsumer(consumer);
      expect((await harness.rows('turns')).length).toBeLessThan(105);
    });
  });
});
