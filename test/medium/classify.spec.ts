import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClassifyService, settleSome } from '../../src/dsat/classify.service.js';
import { asRecord, conversation } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

const LISTS = ['How do I sort a list in Python?', 'Call sort on the list in Python.'];
const REPLY = 'Call sorted on the list in Python.';

describe('the second stage', () => {
  let harness: IngestHarness;

  beforeEach(async () => {
    harness = await IngestHarness.create();
    await harness.startConsumer();
  });
  afterEach(() => harness.close());

  async function ingest(...conversations: string[][]): Promise<void> {
    const turns = conversations.flatMap((contents, index) => conversation(`c${index}`, contents));
    await harness.produce(turns.map(asRecord));
    await harness.stored();
  }

  it('leaves what the first stage settled, and makes the rest final with its anchor', async () => {
    await ingest([...LISTS, 'BAD', 'Oh.', 'MAYBE BAD', 'Hm.', 'MAYBE']);
    const verdicts = async () =>
      (await harness.rows('verdicts')).map(({ turn, label, status }) => [turn, label, status]);
    expect(await verdicts()).toEqual([
      [2, 'dsat', 'final'],
      [4, 'neutral', 'provisional'],
      [6, 'neutral', 'provisional'],
    ]);
    await harness.settle();
    expect(await verdicts()).toEqual([
      [2, 'dsat', 'final'],
      [4, 'dsat', 'final'],
      [6, 'neutral', 'final'],
    ]);
    expect((await harness.rows('anchors')).map(({ turn }) => turn)).toEqual([2, 4]);
  });

  it('finds a seed pair whichever stage settles its sides, and none without a sat side', async () => {
    const sides = [
      ['BAD', 'GOOD'],
      ['BAD', 'MAYBE GOOD'],
      ['MAYBE BAD', 'GOOD'],
      ['MAYBE BAD', 'MAYBE GOOD'],
      ['BAD', 'MAYBE'],
    ];
    await ingest(...sides.map(([dsat, sat]) => [...LISTS, dsat!, REPLY, sat!]));
    const found = async () => (await harness.rows('seed_pairs')).map(({ conversation_id }) => conversation_id);
    expect(await found()).toEqual(['c0']);
    await harness.settle();
    expect(await found()).toEqual(['c0', 'c1', 'c2', 'c3']);
  });

  it.each(['dsat', 'sat'])(
    'finds a seed pair where the %s side settles in a transaction of its own, last',
    async (last) => {
      await ingest([...LISTS, 'MAYBE BAD', REPLY, 'MAYBE GOOD']);
      const order = last === 'sat' ? 'turn' : '-turn';
      await harness.dataSource.query(`UPDATE verdicts SET decided_at = now() + ${order} * interval '1 second'`);
      expect(await settleSome({ ...harness.classifyTools, batch: 1 })).toBe(1);
      expect(await harness.rows('seed_pairs')).toEqual([]);
      expect(await settleSome({ ...harness.classifyTools, batch: 1 })).toBe(1);
      expect(await harness.rows('seed_pairs')).toMatchObject([{ turn: 2, chosen_turn: 3, sat_turn: 4 }]);
    },
  );

  it('makes no anchor and no seed pair of verdicts that abstain, whichever stage gives them', async () => {
    await ingest(
      [...LISTS, 'BAD UNSURE', REPLY, 'GOOD'],
      [...LISTS, 'MAYBE BAD UNSURE', REPLY, 'GOOD'],
      [...LISTS, 'BAD', REPLY, 'MAYBE GOOD UNSURE'],
    );
    await harness.settle();
    const verdicts = await harness.rows('verdicts');
    expect(verdicts.map(({ label, abstained }) => [label, abstained])).toEqual([
      ['dsat', true],
      ['sat', false],
      ['dsat', true],
      ['sat', false],
      ['dsat', false],
      ['sat', true],
    ]);
    expect((await harness.rows('anchors')).map(({ conversation_id }) => conversation_id)).toEqual(['c2']);
    expect(await harness.rows('seed_pairs')).toEqual([]);
  });

  it('makes no seed pair of a reply to another request', async () => {
    await ingest([...LISTS, 'BAD. Now something else: who won?', 'Brazil beat Germany 2:0 in 2002.', 'GOOD']);
    expect(await harness.rows('anchors')).toHaveLength(1);
    expect(await harness.rows('seed_pairs')).toEqual([]);
  });

  it('settles each verdict once, and misses no seed pair, with several workers', async () => {
    const contents = [...LISTS, 'MAYBE BAD', REPLY, 'MAYBE GOOD', 'Sure.', 'MAYBE BAD', REPLY, 'MAYBE'];
    await ingest(...Array.from({ length: 40 }, () => contents));
    const tools = { ...harness.classifyTools, batch: 3 };
    const workers = [new ClassifyService(tools), new ClassifyService(tools), new ClassifyService(tools)];
    for (const worker of workers) worker.start();
    await harness.settled();
    await Promise.all(workers.map((worker) => worker.stop()));
    expect(await harness.rows('anchors')).toHaveLength(80);
    expect(await harness.rows('seed_pairs')).toHaveLength(40);
  });

  it('settles what comes while it runs, and stops when it is told', async () => {
    const worker = new ClassifyService(harness.classifyTools);
    worker.start();
    await ingest([...LISTS, 'MAYBE BAD']);
    await harness.settled();
    await worker.stop();
    expect(await harness.rows('anchors')).toHaveLength(1);
  });
});
