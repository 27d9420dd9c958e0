import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdOffErasures } from '../../src/erasure/erase-conversations.js';
import { type Erasure, eraseSubject } from '../../src/erasure/erase-subject.js';
import { tombstoneOf } from '../../src/erasure/tombstones.js';
import { asRecord, complaint } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

let harness: IngestHarness;
let marker: string;
beforeEach(async () => {
  harness = await IngestHarness.create();
  marker = `zq${randomBytes(6).toString('hex')}`;
});
afterEach(() => harness.close());

describe('a dead letter of what is erased', () => {
  const MESSAGES = { 'content-type': 'application/vnd.driftloop.openai.messages+json' };
  const asMessages = (key: string, ...roles: string[]) => ({
    key,
    value: JSON.stringify({ user: 'alice', messages: roles.map((role) => ({ role, content: marker })) }),
    headers: MESSAGES,
  });
  /** Refused, and its ids stand beyond what is kept of it. */
  const large = (userId: string, occurredAt = '2026-01-02T03:04:05Z') => ({
    key: 'k',
    value: JSON.stringify({ content: 'x '.repeat(40_000), role: marker, occurredAt, conversationId: 'gone', userId }),
  });
  const erase = (subject: Erasure['subject'], id: string) =>
    eraseSubject(harness.dataSource, harness.pseudonyms, { subject, id, at: new Date() });

  async function lettersOnTopic(): Promise<number> {
    const admin = harness.kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(harness.config.topics.deadLetters);
    await admin.disconnect();
    return ends.reduce((sum, { high }) => sum + Number(high), 0);
  }

  it('is found by ids beyond what is kept of it', async () => {
    await harness.produce([large('bob'), { ...large('alice'), key: 'l' }]);
    await harness.startConsumer();
    await harness.stored();
    expect(await erase('user', harness.pseudonyms.userId('alice'))).toMatchObject({ deadLetters: 1 });
    expect(await erase('conversation', 'gone')).toMatchObject({ deadLetters: 1 });
  });

  it('goes with its conversation also where a late turn comes while it is being stored', async () => {
    await harness.startConsumer();
    await erase('user', harness.pseudonyms.userId('alice'));
    // As a reader of another partition does that has seen no erased conversation in its letter.
    const other = harness.dataSource.createQueryRunner();
    await other.startTransaction();
    await holdOffErasures(other.manager);
    await harness.produce([asRecord(complaint('gone', marker, 'alice')[0]!)]);
    await sleep(1_000);
    await other.query(
      `INSERT INTO dead_letters (topic, partition, record_offset, reason, detail, sha256, headers, payload, payload_bytes, ids)
       VALUES ('t', 9, 1, 'conflict', '', '', '[]', '', 0, $1)`,
      [[tombstoneOf(harness.pseudonyms, 'gone')]],
    );
    await other.commitTransaction();
    await other.release();
    await harness.stored();
    for (const table of ['turns', 'dead_letters'] as const) expect(await harness.rows(table)).toEqual([]);
  });

  it('is found by an id that is derived', async () => {
    await harness.produce([asMessages('k', 'user', 'assistant'), asMessages('k', 'user', 'nobody')]);
    await harness.startConsumer();
    await harness.stored();
    const id = String((await harness.rows('turns'))[0]!.conversation_id);
    expect(id).toMatch(/^c_/);
    expect(await erase('conversation', id)).toMatchObject({ turns: 2, deadLetters: 1 });
  });

  it('stays away when it is sent again, from its topic too, until the user says something anew', async () => {
    await harness.startConsumer();
    await erase('user', harness.pseudonyms.userId('alice'));
    await erase('conversation', 'other');
    await harness.produce([
      large('alice'),
      { key: 'other', value: `no json ${marker}` },
      large('alice', '2100-01-01T00:00:00Z'),
    ]);
    await harness.stored();
    expect(await harness.rows('dead_letters')).toHaveLength(1);
    expect(await lettersOnTopic()).toBe(1);
  });
});
