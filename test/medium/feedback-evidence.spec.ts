import { afterAll, beforeAll, expect, it } from 'vitest';
import { FEEDBACK_SCHEMA, type FeedbackEvent } from '../../src/chat-log/turn-event.js';
import { asRecord, conversation } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

let harness: IngestHarness;
beforeAll(async () => {
  harness = await IngestHarness.create();
  await harness.startConsumer();
});
afterAll(() => harness.close());

const thumbs = (conversationId: string, turn: number, value: string, second = 0): FeedbackEvent => ({
  schema: FEEDBACK_SCHEMA,
  conversationId,
  turn,
  feedback: { kind: 'thumbs', value },
  occurredAt: new Date(second * 1_000).toISOString(),
});
const said = (id: string, feedback: string) =>
  conversation(id, ['How do I sort a list in Python?', 'Call sort on the list in Python.', feedback]).map(asRecord);

async function send(...records: ReturnType<typeof said>[number][]): Promise<void> {
  await harness.produce(records);
  await harness.stored();
}
async function rowsOf(table: 'verdicts' | 'anchors', id: string) {
  const rows = (await harness.rows(table)).filter(({ conversation_id }) => conversation_id === id);
  return rows.map(({ conversation_id: _, id: __, ...row }) => row);
}

it('makes the same verdict and anchor whether feedback comes before, with or after the turn that it joins', async () => {
  // The scripted classifier abstains at P(dsat) 0.4; thumbs down make it 0.83, thumbs up 0.08.
  for (const value of ['down', 'up']) {
    const ids = ['before', 'after', 'again'].map((when) => `${when}-${value}`);
    const [before, after, again] = ids as [string, string, string];
    await send(asRecord(thumbs(before, 1, value)));
    await send(...said(before, 'BAD UNSURE'), ...said(after, 'BAD UNSURE'), ...said(again, 'BAD UNSURE'));
    await send(asRecord(thumbs(after, 1, value)), ...[1, 2, 3].map(() => asRecord(thumbs(again, 1, value))));
    const verdicts = await Promise.all(ids.map((id) => rowsOf('verdicts', id)));
    expect(verdicts[0]).toMatchObject([
      {
        label: value === 'down' ? 'dsat' : 'neutral',
        abstained: false,
        p_dsat: 0.4,
        evidence: { logOdds: value === 'down' ? 2 : -2 },
        classified: { label: 'dsat', abstained: true },
      },
    ]);
    expect(verdicts[1]).toEqual(verdicts[0]);
    expect(verdicts[2]).toEqual(verdicts[0]);
    const anchors = await Promise.all(ids.map((id) => rowsOf('anchors', id)));
    expect(anchors[0]).toHaveLength(value === 'down' ? 1 : 0);
    expect(anchors[1]).toEqual(anchors[0]);
    expect(anchors[2]).toEqual(anchors[0]);
  }
});

it('takes an anchor back when the user changes their mind, and retires it where a run used it', async () => {
  const unused = 'changed';
  const used = 'used';
  for (const id of [unused, used]) await send(...said(id, 'BAD UNSURE'), asRecord(thumbs(id, 1, 'down', 1)));
  await harness.dataSource.query(
    `INSERT INTO runs (id, preset, status, settings, base_model) VALUES ('r1', 'quick', 'done', '{}', 'm')`,
  );
  await harness.dataSource.query(
    `INSERT INTO run_anchors (run_id, anchor_id, decision) SELECT 'r1', id, 'train' FROM anchors WHERE conversation_id = $1`,
    [used],
  );
  await send(...[unused, used].map((id) => asRecord(thumbs(id, 1, 'up', 2))));
  expect(await rowsOf('anchors', unused)).toEqual([]);
  expect(await rowsOf('anchors', used)).toMatchObject([{ state: 'retired', state_reason: 'feedback: not dsat' }]);
  await send(...[unused, used].map((id) => asRecord(thumbs(id, 1, 'down', 3))));
  for (const id of [unused, used]) expect(await rowsOf('anchors', id)).toMatchObject([{ state: 'active' }]);
});

it('joins feedback to a verdict that the second stage gives, and makes no anchor without a turn of the user', async () => {
  await send(...said('late', 'MAYBE BAD UNSURE'), asRecord(thumbs('late', 1, 'down')));
  expect(await rowsOf('verdicts', 'late')).toMatchObject([{ status: 'provisional', evidence: null }]);
  await harness.settle();
  expect(await rowsOf('verdicts', 'late')).toMatchObject([
    { label: 'dsat', abstained: false, evidence: { logOdds: 2 } },
  ]);
  expect(await rowsOf('anchors', 'late')).toHaveLength(1);
  await send(...said('alone', '').slice(0, 2), asRecord(thumbs('alone', 1, 'down')));
  expect(await rowsOf('verdicts', 'alone')).toEqual([]);
  expect(await rowsOf('anchors', 'alone')).toEqual([]);
});
