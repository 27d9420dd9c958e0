import { afterEach, beforeEach, expect, it } from 'vitest';
import { train } from '../../src/training/train.js';
import { insertAnchors, insertSeedPairs, request, startTraining, type TrainingHarness } from './training-harness.js';

let harness: TrainingHarness;
beforeEach(async () => {
  harness = await startTraining();
});
afterEach(() => harness.close());

/** Says who gave the anchors of all conversations whose id begins so. */
const attribute = (prefix: string, column: 'user_id' | 'tenant', value: string) =>
  harness.dataSource.query(
    column === 'user_id'
      ? `UPDATE turns SET user_id = $2 WHERE starts_with(conversation_id, $1)`
      : `UPDATE anchors SET tenant = $2 WHERE starts_with(conversation_id, $1)`,
    [prefix, value],
  );

/** How many anchors of conversations with this prefix the run decided so. */
async function decided(run: string, decision: string, prefix = ''): Promise<number> {
  const [{ count }] = await harness.dataSource.query<[{ count: number }]>(
    `SELECT count(*)::int FROM run_anchors JOIN anchors ON id = anchor_id
     WHERE run_id = $1 AND decision = $2 AND starts_with(conversation_id, $3)`,
    [run, decision, prefix],
  );
  return count;
}

const all = { anchors: null, heldOutAnchors: 256, iterations: 1, warmStart: false };

it('takes no more of a user than the share, of training and of held-out anchors', async () => {
  await insertAnchors(harness.dataSource, 28, 'flood');
  await insertAnchors(harness.dataSource, 20, 'other');
  await attribute('flood', 'user_id', 'flooder');
  const result = await train(harness, request({ ...all, maxUserShare: 0.1 }));
  if (result.outcome !== 'published') throw new Error(result.why);
  const { run, anchors } = result;
  for (const [decision, count] of [
    ['train', anchors.train],
    ['held-out', anchors.heldOut],
  ] as const) {
    const flooded = await decided(run, decision, 'flood');
    expect(flooded).toBe(Math.max(1, Math.floor(0.1 * count)));
    expect(await decided(run, decision, 'other')).toBe(count - flooded);
  }
  const left = await decided(run, 'user-share');
  expect(left).toBe(await decided(run, 'user-share', 'flood'));
  expect(anchors.train + anchors.heldOut + left).toBe(48);
  const [{ outcome }] = await harness.dataSource.query<[{ outcome: unknown }]>(
    `SELECT outcome FROM run_stages WHERE run_id = $1 AND stage = 'plan'`,
    [run],
  );
  expect(outcome).toMatchObject({ dropped: { 'user-share': left } });
  expect(harness.lines.some((line) => line.includes(`${left} user-share`))).toBe(true);
});

it('takes no more of one of several tenants than the share', async () => {
  await insertAnchors(harness.dataSource, 30, 'big');
  await insertAnchors(harness.dataSource, 12, 'small');
  await attribute('big', 'tenant', 'big');
  await attribute('small', 'tenant', 'small');
  const result = await train(harness, request(all));
  if (result.outcome !== 'published') throw new Error(result.why);
  expect(await decided(result.run, 'train', 'big')).toBe(result.anchors.train / 2);
  expect(await decided(result.run, 'tenant-share', 'small')).toBe(0);
  expect(await decided(result.run, 'tenant-share', 'big')).toBeGreaterThan(0);
});

it('limits the seed pairs of the warm start too', async () => {
  await insertAnchors(harness.dataSource, 28, 'flood');
  await insertAnchors(harness.dataSource, 20, 'other');
  for (const prefix of ['flood', 'other']) await insertSeedPairs(harness.dataSource, 20, prefix);
  await attribute('flood', 'user_id', 'flooder');
  const result = await train(harness, request({ ...all, warmStart: true, warmStartPairs: null }));
  if (result.outcome !== 'published') throw new Error(result.why);
  const [pairs] = await harness.dataSource.query<[{ flood: number; all: number }]>(
    `SELECT count(*)::int AS "all", count(*) FILTER (WHERE starts_with(conversation_id, 'flood'))::int AS flood
     FROM pairs JOIN anchors ON id = anchor_id WHERE run_id = $1 AND split = 'warm-start'`,
    [result.run],
  );
  expect(pairs.flood).toBe(1);
  expect(pairs.all).toBeGreaterThan(8);
});
