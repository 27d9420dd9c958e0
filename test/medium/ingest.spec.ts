import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asRecord, conversation } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

describe('ingestion', () => {
  let harness: IngestHarness;

  beforeEach(async () => {
    harness = await IngestHarness.create();
  });
  afterEach(() => harness.close());

  it('stores turns, judges their exchanges, and makes anchors and seed pairs', async () => {
    await harness.produce(
      conversation('c', [
        'How do I sort a list in Python?',
        'Use sort on a list in Python.',
        'BAD',
        'Use sorted on a list in Python.',
        'GOOD',
      ]).map(asRecord),
    );
    await harness.startConsumer();
    await harness.stored();
    expect(await harness.rows('turns')).toHaveLength(5);
    expect((await harness.rows('verdicts')).map(({ turn, label, status }) => [turn, label, status])).toEqual([
      [2, 'dsat', 'final'],
      [4, 'sat', 'final'],
    ]);
    expect(await harness.rows('anchors')).toHaveLength(1);
    expect((await harness.rows('seed_pairs')).map((p) => [p.turn, p.chosen_turn, p.sat_turn])).toEqual([[2, 3, 4]]);
  });
});
