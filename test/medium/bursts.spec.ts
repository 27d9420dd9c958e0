import { afterEach, beforeEach, expect, it } from 'vitest';
import { listAnchors } from '../../src/anchor/anchor-read.js';
import { quarantineBursts } from '../../src/anchor/bursts/quarantine-bursts.js';
import { decideAnchors } from '../../src/anchor/decide-anchors.js';
import { train } from '../../src/training/train.js';
import { insertAnchorConversation } from '../factories/anchors.js';
import { insertAnchors, request, startTraining, type TrainingHarness } from './training-harness.js';

let harness: TrainingHarness;
beforeEach(async () => {
  harness = await startTraining();
  await insertAnchors(harness.dataSource, 25);
});
afterEach(() => harness.close());

const CAMPAIGN = 'you should have told me to buy the other product because it is so much better';

/** Conversations of a flood; resolves to the ids of their anchors. */
async function flood(count: number, prefix = 'flood'): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    const feedback = `${index % 2 ? 'Hello! ' : ''}${CAMPAIGN}${'!'.repeat(index % 4)} ${index}`;
    ids.push(await insertAnchorConversation(harness.dataSource, `${prefix}-${index}`, { feedback }));
  }
  return ids.sort();
}

const idsIn = async (state: 'active' | 'quarantined' | 'retired') =>
  (await listAnchors(harness.dataSource, { state })).map(({ id }) => id).sort();
const logged = (id: string) =>
  harness.dataSource.query<{ action: string; facts: object }[]>(
    'SELECT action, facts FROM audit_log WHERE subject = $1 ORDER BY audit_log.id',
    [id],
  );

it('puts a flood aside before a run chooses its anchors, and trains on none of it', async () => {
  const ids = await flood(30);
  const result = await train(harness, request({ anchors: null, heldOutAnchors: 256, iterations: 1 }));
  if (result.outcome !== 'published') throw new Error(result.why);
  expect(result.anchors.active).toBe(25);
  expect(await idsIn('quarantined')).toEqual(ids);
  expect(harness.lines).toContainEqual(expect.stringContaining('quarantined 30 anchors, near-duplicate burst'));
  const [{ count }] = await harness.dataSource.query<[{ count: number }]>(
    `SELECT count(*)::int FROM run_anchors JOIN anchors ON id = anchor_id WHERE state = 'quarantined'`,
  );
  expect(count).toBe(0);
  const [anchor] = await listAnchors(harness.dataSource, { state: 'quarantined' });
  expect(anchor!.stateReason).toBe('near-duplicate burst: 30 conversations with nearly the same feedback');
  expect(await logged(anchor!.id)).toEqual([
    { action: 'quarantine-anchor', facts: { why: 'burst', alike: 'feedback', conversations: 30 } },
  ]);
});

it('takes the rest of a flood that goes on, and nothing twice', async () => {
  const first = await flood(12);
  expect(await quarantineBursts(harness.dataSource, 'new')).toMatchObject([
    { ids: expect.any(Array), conversations: 12 },
  ]);
  expect(await quarantineBursts(harness.dataSource, 'new')).toEqual([]);
  await train(harness, request());
  const more = await flood(3, 'more');
  expect(await quarantineBursts(harness.dataSource, 'new')).toMatchObject([
    { ids: expect.arrayContaining(more), conversations: 15 },
  ]);
  expect(await idsIn('quarantined')).toEqual([...first, ...more].sort());
});

it('looks at what runs know already only when asked to', async () => {
  await train(harness, request());
  const ids = await flood(12);
  await harness.dataSource.query(
    `INSERT INTO run_anchors (run_id, anchor_id, decision) SELECT 'r1', unnest($1::uuid[]), 'spare'`,
    [ids],
  );
  expect(await quarantineBursts(harness.dataSource, 'new')).toEqual([]);
  expect((await quarantineBursts(harness.dataSource, 'all'))[0]!.ids.toSorted()).toEqual(ids);
});

it('leaves released anchors alone, and retired ones out', async () => {
  const ids = await flood(12);
  await quarantineBursts(harness.dataSource, 'all');
  await decideAnchors(harness.dataSource, 'release', ids.slice(0, 11), 'a class at school');
  expect(await quarantineBursts(harness.dataSource, 'all')).toEqual([]);
  await decideAnchors(harness.dataSource, 'retire', ids.slice(11), 'spam');
  expect(await idsIn('quarantined')).toEqual([]);
  expect(await idsIn('retired')).toEqual(ids.slice(11));
  expect((await idsIn('active')).length).toBe(25 + 11);
  expect((await logged(ids[0]!)).at(-1)).toEqual({ action: 'release-anchor', facts: { why: 'a class at school' } });
  expect((await logged(ids[11]!)).at(-1)).toEqual({ action: 'retire-anchor', facts: { why: 'spam' } });
});

it('decides all or nothing', async () => {
  const [a, b] = (await idsIn('active')) as [string, string];
  const unknown = '00000000-0000-8000-8000-000000000000';
  const decide = (decision: 'release' | 'retire', ids: string[]) =>
    decideAnchors(harness.dataSource, decision, ids, 'x');
  await expect(decide('retire', [a, unknown])).rejects.toMatchObject({ code: 'not-found' });
  await expect(decide('retire', [a, 'not an id'])).rejects.toMatchObject({ code: 'not-found' });
  await decide('retire', [a]);
  await expect(decide('retire', [b, a])).rejects.toMatchObject({ code: 'conflict' });
  await expect(decide('release', [b])).rejects.toMatchObject({ code: 'conflict' });
  expect(await idsIn('retired')).toEqual([a]);
});
