import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decideAnchors } from '../../src/anchor/decide-anchors.js';
import { type Erasure, eraseSubject } from '../../src/erasure/erase-subject.js';
import { scrubDatabase } from '../../src/erasure/scrub-database.js';
import { listPolicies } from '../../src/policy/policy-read.js';
import { Pseudonyms } from '../../src/privacy/pseudonyms.js';
import { requireOwnKey } from '../../src/privacy/require-own-key.js';
import type { PairRow } from '../../src/training/store/pair-row.js';
import { insertPairs, readPairs } from '../../src/training/store/pair-store.js';
import { insertPolicy, insertRun } from '../factories/runs.js';
import { asRecord, complaint, conversation } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

let harness: IngestHarness;
let marker: string;
beforeEach(async () => {
  harness = await IngestHarness.create();
  marker = `zq${randomBytes(6).toString('hex')}`;
});
afterEach(() => harness.close());

const said = (id: string, userId?: string) => complaint(id, marker, userId);

const TABLES = ['turns', 'turn_feedback', 'verdicts', 'seed_pairs', 'dead_letters'] as const;
async function counts() {
  const rows = await Promise.all(TABLES.map((table) => harness.rows(table)));
  return Object.fromEntries(TABLES.map((table, index) => [table, rows[index]!.length]));
}
const NOTHING = { turns: 0, turn_feedback: 0, verdicts: 0, seed_pairs: 0, dead_letters: 0 };
const erasing = (given: Omit<Erasure, 'at'>): Erasure => ({ ...given, at: new Date() });

describe('what is erased', () => {
  it('is in no table, and leaves anchors without text and a receipt without names', async () => {
    await harness.startConsumer();
    await harness.ingest([
      ...said('gone'),
      { ...said('gone')[2]!, content: `another ${marker}` },
      { ...said('gone')[0]!, role: 'nobody' as never },
      ...conversation('kept', ['List.', 'Milk.', 'BAD', 'Milk, eggs.', 'GOOD']),
    ]);
    expect(await counts()).toMatchObject({ turns: 10, verdicts: 4, seed_pairs: 2, dead_letters: 2 });
    await harness.dataSource.query('UPDATE anchors SET state_reason = $1', [marker]);
    const receipt = await eraseSubject(
      harness.dataSource,
      harness.pseudonyms,
      erasing({ subject: 'conversation', id: 'gone' }),
    );
    expect(receipt).toMatchObject({
      conversations: 1,
      turns: 5,
      verdicts: 2,
      anchors: 1,
      seedPairs: 1,
      deadLetters: 2,
    });
    expect(await counts()).toMatchObject({ turns: 5, verdicts: 2, seed_pairs: 1, dead_letters: 0 });
    expect(
      (await harness.rows('anchors')).map((row) => [row.state, row.conversation_id, row.state_reason]).sort(),
    ).toEqual([
      ['active', 'kept', marker],
      ['erased', expect.stringMatching(/^erased_[0-9a-f]{32}$/), null],
    ]);
    const [audit] = await harness.dataSource.query('SELECT * FROM audit_log');
    expect(audit).toMatchObject({
      action: 'erase-conversation',
      subject: expect.stringMatching(/^[0-9a-f]{64}$/),
      facts: { turns: 5 },
    });
  });

  it('stays away when it is sent again, in whole or in part', async () => {
    await harness.startConsumer();
    await harness.ingest(said('gone'));
    await eraseSubject(harness.dataSource, harness.pseudonyms, erasing({ subject: 'conversation', id: 'gone' }));
    await harness.ingest([...said('gone'), { ...said('gone')[0]!, turn: 5 }]);
    const feedback = {
      schema: 'driftloop.feedback.v1',
      conversationId: 'gone',
      turn: 1,
      feedback: { kind: 'edit', value: marker },
    };
    await harness.produce([
      { key: 'gone', value: JSON.stringify({ ...feedback, occurredAt: '2026-01-02T03:04:05Z' }) },
    ]);
    await harness.stored();
    expect(await counts()).toEqual(NOTHING);
  });

  it('is, of a user, all conversations: also one that comes late, and none of afterwards', async () => {
    await harness.startConsumer();
    await harness.ingest([...said('a', 'alice'), ...said('b', 'alice'), ...said('other', 'bob')]);
    const receipt = await eraseSubject(harness.dataSource, harness.pseudonyms, {
      subject: 'user',
      id: harness.pseudonyms.userId('alice'),
      at: new Date(),
    });
    expect(receipt).toMatchObject({ conversations: 2, turns: 10 });
    await harness.ingest([said('late')[1]!]);
    await harness.ingest([...said('late', 'alice').slice(2), said('late', 'alice')[0]!]);
    const receipts = await harness.dataSource.query('SELECT action, subject, facts FROM audit_log ORDER BY id');
    const { action, subject } = receipts[0];
    expect(receipts.slice(1)).toEqual([
      { action, subject, facts: expect.objectContaining({ late: true, conversations: 1, turns: 1 }) },
    ]);
    const later = said('later', 'alice').map((event) => ({ ...event, occurredAt: '2100-01-01T00:00:00Z' }));
    await harness.ingest(later);
    const ids = (await harness.rows('turns')).map(({ conversation_id }) => conversation_id);
    expect([...new Set(ids)].sort()).toEqual(['later', 'other']);
  });

  it('is, of a user, also what says that it comes later, and of however many conversations', async () => {
    await harness.dataSource.query(
      `INSERT INTO turns (conversation_id, turn, role, content, occurred_at, user_id, sha256)
       SELECT 'c' || n, 0, 'user', $1, now() + interval '10 minutes', $2, '' FROM generate_series(1, 20000) AS n`,
      [marker, harness.pseudonyms.userId('alice')],
    );
    const erasure = erasing({ subject: 'user', id: harness.pseudonyms.userId('alice') });
    expect(await eraseSubject(harness.dataSource, harness.pseudonyms, erasure)).toMatchObject({
      conversations: 20_000,
      turns: 20_000,
    });
  });

  it('can be told by an event, once, in order with the turns', async () => {
    const event = { schema: 'driftloop.erase.v1', conversationId: 'gone' };
    const cloudEvent = {
      specversion: '1.0',
      id: '1',
      source: 'x',
      type: 'driftloop.erase.v1',
      time: new Date().toISOString(),
      data: { userId: 'alice' },
    };
    await harness.produce([
      ...said('gone').slice(0, 3).map(asRecord),
      { key: 'gone', value: JSON.stringify(event) },
      ...said('gone').slice(3).map(asRecord),
      ...said('hers', 'alice').map(asRecord),
      { key: 'hers', value: JSON.stringify(cloudEvent), headers: { 'content-type': 'application/cloudevents+json' } },
    ]);
    await harness.startConsumer();
    await harness.stored();
    expect(await counts()).toEqual(NOTHING);
    expect(await harness.dataSource.query('SELECT action FROM audit_log ORDER BY action')).toEqual([
      { action: 'erase-conversation' },
      { action: 'erase-user' },
    ]);
  });

  it('is gone while the rest of it is being stored', async () => {
    await harness.startConsumer();
    const many = Array.from({ length: 40 }, (_, turn) => ({ ...said('gone')[0]!, turn, content: `${turn} ${marker}` }));
    const producing = harness.produce(many.map(asRecord));
    for (let round = 0; round < 10; round++) {
      await eraseSubject(harness.dataSource, harness.pseudonyms, erasing({ subject: 'conversation', id: 'gone' }));
    }
    await producing;
    await harness.stored();
    expect(await counts()).toEqual(NOTHING);
  });
});

it('takes the words of a decision on an erased anchor away, wherever that decision stands', async () => {
  await harness.startConsumer();
  await harness.ingest([
    ...said('gone'),
    ...conversation('kept', ['List.', 'Milk.', 'BAD']),
    ...conversation('apart', ['List.', 'Milk.', 'BAD']),
  ]);
  const anchors = await harness.rows('anchors');
  const idOf = (conversationId: string) =>
    String(anchors.find(({ conversation_id }) => conversation_id === conversationId)!.id);
  await decideAnchors(harness.dataSource, 'retire', [idOf('gone').toUpperCase(), idOf('kept')], `both are ${marker}'s`);
  await decideAnchors(harness.dataSource, 'retire', [idOf('apart')], 'spam');
  await eraseSubject(harness.dataSource, harness.pseudonyms, erasing({ subject: 'conversation', id: 'gone' }));
  const decisions = await harness.dataSource.query(
    `SELECT subject, facts->>'why' AS why FROM audit_log WHERE action = 'retire-anchor' ORDER BY id`,
  );
  expect(decisions).toEqual([
    { subject: idOf('gone'), why: '[erased]' },
    { subject: idOf('kept'), why: '[erased]' },
    { subject: idOf('apart'), why: 'spam' },
  ]);
  expect((await harness.rows('anchors')).map(({ state, state_reason }) => [state, state_reason]).sort()).toEqual([
    ['erased', null],
    ['retired', '[erased]'],
    ['retired', 'spam'],
  ]);
});

describe('after the tables are written anew', () => {
  it('no file of the database, and no segment of its log, holds the text', async () => {
    await harness.startConsumer();
    await harness.ingest([...said('gone', 'alice'), { ...said('gone')[2]!, content: `another ${marker}` }]);
    await harness.dataSource.query(
      `INSERT INTO ingest_requests (client, key, sha256, answer) VALUES ('c', 'k', 's', jsonb_build_object('said', $1::text))`,
      [marker],
    );
    await harness.dataSource.query('DELETE FROM ingest_requests');
    await harness.dataSource.query('ANALYZE');
    await harness.dataSource.query('CHECKPOINT');
    expect((await filesWith(marker)).length).toBeGreaterThan(1);
    await eraseSubject(
      harness.dataSource,
      harness.pseudonyms,
      erasing({ subject: 'user', id: harness.pseudonyms.userId('alice') }),
    );
    await harness.stopAll();
    expect(await scrubDatabase(harness.dataSource)).toEqual([]);
    expect(await filesWith(marker)).toEqual([]);
  });

  /** Files of this test's database, and of the server's log, that hold a text. */
  async function filesWith(text: string): Promise<string[]> {
    const [{ dir, oid }] = await harness.dataSource.query(
      `SELECT current_setting('data_directory') AS dir, (SELECT oid FROM pg_database WHERE datname = current_database()) AS oid`,
    );
    return [join(dir, 'base', String(oid)), join(dir, 'pg_wal')].flatMap((folder) =>
      readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isFile() && readFileSync(join(folder, entry.name)).includes(text))
        .map(({ name }) => join(folder, name)),
    );
  }
});

it('refuses a database that was filled with another privacy key', async () => {
  await requireOwnKey(harness.dataSource, harness.pseudonyms);
  await requireOwnKey(harness.dataSource, harness.pseudonyms);
  const other = requireOwnKey(harness.dataSource, new Pseudonyms(Buffer.from('another key')));
  await expect(other).rejects.toMatchObject({ code: 'config-invalid' });
});

it('takes pairs away, and marks the versions that were trained on them and those that came of these', async () => {
  await harness.startConsumer();
  await harness.ingest(said('gone'));
  const { dataSource } = harness;
  const [anchor] = await harness.rows('anchors');
  await insertRun(dataSource, { id: 'r1' });
  await insertRun(dataSource, { id: 'r2' });
  await insertPolicy(dataSource, { version: 'v1', number: 1, runId: 'r1' });
  await insertPolicy(dataSource, { version: 'v2', number: 2, parent: 'v1', runId: 'r2' });
  await insertPolicy(dataSource, { version: 'v3', number: 3 });
  const pair: PairRow = {
    anchorId: String(anchor!.id),
    position: 0,
    promptIds: [1],
    chosenIds: [2],
    rejectedIds: [3],
    chosen: marker,
    rejected: marker,
    sampling: null,
    scores: { replies: { before: marker } },
  };
  const set = { runId: 'r1', iteration: 1, split: 'train' } as const;
  await insertPairs(dataSource.manager, set, [pair]);
  const receipt = await eraseSubject(dataSource, harness.pseudonyms, erasing({ subject: 'conversation', id: 'gone' }));
  expect(receipt.pairs).toBe(1);
  expect((await listPolicies(dataSource)).map(({ version, erasedAnchors }) => [version, erasedAnchors])).toEqual([
    ['v3', 0],
    ['v2', 1],
    ['v1', 1],
  ]);
  // A run that had read the text before writes no pair of it afterwards.
  await insertPairs(dataSource.manager, { ...set, iteration: 2 }, [pair]);
  expect(await readPairs(dataSource, { ...set, iteration: 2 })).toEqual([]);
});
