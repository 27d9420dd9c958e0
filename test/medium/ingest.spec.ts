import type { Message } from 'kafkajs';
import { register } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FEEDBACK_SCHEMA } from '../../src/chat-log/turn-event.js';
import { asRecord, conversation, turnEvent } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

const LISTS = ['How do I sort a list in Python?', 'Call sort on the list in Python.'];
/** A dsat turn, then a reply to the same request that satisfies. */
const REPAIRED = [...LISTS, 'BAD, it returned None', 'Call sorted on the list in Python.', 'GOOD, thanks'];

describe('ingestion', () => {
  let harness: IngestHarness;

  beforeEach(async () => {
    harness = await IngestHarness.create();
  });
  afterEach(() => harness.close());

  async function ingest(messages: Message[]): Promise<void> {
    await harness.produce(messages);
    await harness.startConsumer();
    await harness.stored();
  }

  it('stores turns, judges their exchanges, and makes anchors and seed pairs', async () => {
    const turns = conversation('c', REPAIRED);
    Object.assign(turns[1]!, { policyVersion: 'v7', model: 'm' });
    Object.assign(turns[2]!, { tenant: 'acme' });
    await ingest(turns.map(asRecord));
    expect((await harness.rows('turns')).map(({ turn, role, content }) => [turn, role, content])).toEqual(
      turns.map(({ turn, role, content }) => [turn, role, content]),
    );
    expect((await harness.rows('verdicts')).map(({ turn, label, status }) => [turn, label, status])).toEqual([
      [2, 'dsat', 'final'],
      [4, 'sat', 'final'],
    ]);
    expect(await harness.rows('anchors')).toMatchObject([
      { turn: 2, rubric: 'other', confidence: 0.9, policy_version: 'v7', model: 'm', tenant: 'acme', state: 'active' },
    ]);
    expect(await harness.rows('seed_pairs')).toMatchObject([{ turn: 2, chosen_turn: 3, sat_turn: 4 }]);
  });

  it('makes no anchor where no user turn precedes the reply', async () => {
    const greeting = turnEvent({ conversationId: 'c', turn: 0, role: 'assistant', content: 'Hello!' });
    await ingest([greeting, turnEvent({ conversationId: 'c', turn: 1, role: 'user', content: 'BAD' })].map(asRecord));
    expect(await harness.rows('verdicts')).toMatchObject([{ turn: 1, label: 'dsat' }]);
    expect(await harness.rows('anchors')).toEqual([]);
  });

  it('makes the same tables of turns that arrive in any order, in one batch or one by one', async () => {
    const turns = [
      ...conversation('a', REPAIRED),
      ...conversation('b', [...REPAIRED, 'And now BAD', 'x', 'MAYBE GOOD']),
    ];
    await ingest(turns.map(asRecord));
    await harness.settle();
    const expected = await harness.tables();
    for (const order of [turns.toReversed(), byParity(turns), [...turns.slice(5), ...turns.slice(0, 5)]]) {
      const other = await IngestHarness.create();
      await other.startConsumer();
      for (const turn of order) {
        await other.produce([asRecord(turn)]);
        if (turn.turn % 3 === 0) await other.stored();
        if (turn.turn % 4 === 0) await other.settle();
      }
      await other.stored();
      await other.settle();
      expect(await other.tables()).toEqual(expected);
      await other.close();
    }
  });

  it('counts a turn that comes again, and keeps one that says otherwise as a dead letter with both hashes', async () => {
    const turns = conversation('c', REPAIRED);
    const rewritten = asRecord({ ...turns[1]!, content: 'Something else.' });
    await ingest([...turns.map(asRecord), ...turns.map(asRecord), rewritten]);
    const [, stored] = await harness.rows('turns');
    expect(stored).toMatchObject({ turn: 1, content: LISTS[1] });
    const [letter, ...others] = await harness.rows('dead_letters');
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ reason: 'conflict', item: 0 });
    const hashes = String(letter!.detail).match(/[0-9a-f]{64}/g);
    expect(hashes).toHaveLength(2);
    expect(hashes![0]).toBe(stored!.sha256);
    expect(await harness.rows('anchors')).toHaveLength(1);
  });

  it('keeps a letter for each of many turns that were rewritten', async () => {
    const record = (said: string) => ({
      key: 'k',
      value: JSON.stringify({
        conversation: 'c',
        messages: Array.from({ length: 250 }, (_, at) => ({
          role: at % 2 === 0 ? 'user' : 'assistant',
          content: `${said} ${at}`,
        })),
      }),
      headers: { 'content-type': 'application/vnd.driftloop.openai.messages+json' },
    });
    await ingest([record('at first'), record('rewritten')]);
    expect(await harness.rows('turns')).toHaveLength(250);
    const letters = await harness.rows('dead_letters');
    expect(letters.map(({ item }) => Number(item)).sort((a, b) => a - b)).toEqual(letters.map((_, item) => item));
    expect(new Set(letters.map(({ detail }) => detail)).size).toBe(250);
  });

  it('takes feedback once, also before the turn that it speaks of, and never as a conflict', async () => {
    const at = '2026-03-03T00:00:00Z';
    const feedback = (value: string) =>
      asRecord({
        schema: FEEDBACK_SCHEMA,
        conversationId: 'c',
        turn: 1,
        feedback: { kind: 'thumbs', value },
        occurredAt: at,
      });
    await ingest([feedback('down'), ...conversation('c', LISTS).map(asRecord), feedback('down'), feedback('up')]);
    expect(await harness.rows('turn_feedback')).toMatchObject([{ turn: 1, kind: 'thumbs', value: 'down' }]);
    expect(await harness.rows('dead_letters')).toEqual([]);
    expect(await harness.rows('anchors')).toEqual([]);
  });

  it('puts each bad record aside with its reason, and stores all around it', async () => {
    const good = conversation('good', REPAIRED).map(asRecord);
    const bad: Message[] = [
      { key: 'k', value: 'no json' },
      { key: 'k', value: Buffer.from([0xff, 0xfe, 0x00]) },
      { key: 'k', value: null },
      asRecord({ ...turnEvent(), schema: 'driftloop.turn.v9' } as never),
      { key: 'k', value: JSON.stringify({ messages: [] }) },
      {
        key: 'k',
        value: JSON.stringify({ conversations: [] }),
        headers: { 'content-type': 'application/vnd.driftloop.sharegpt+json' },
      },
      asRecord({ ...turnEvent(), role: 'nobody' } as never),
      asRecord(turnEvent({ conversationId: 'large', content: 'x'.repeat(5_000_000) })),
      // PostgreSQL has no year 0.
      asRecord(turnEvent({ conversationId: 'year', occurredAt: '0000-01-01T00:00:00Z' })),
    ];
    await ingest([...good.slice(0, 2), ...bad, ...good.slice(2)]);
    const letters = await harness.rows('dead_letters');
    expect(letters.map(({ reason }) => reason).sort()).toEqual([
      'empty',
      'invalid',
      'too-large',
      'undecodable',
      'undecodable',
      'undecodable',
      'unknown-format',
      'unknown-schema',
      'unstorable',
    ]);
    expect((await harness.rows('turns')).map(({ conversation_id }) => conversation_id)).toEqual(Array(5).fill('good'));
    expect(await harness.rows('seed_pairs')).toHaveLength(1);
    const large = letters.find(({ reason }) => reason === 'too-large')!;
    expect(large.payload).toHaveLength(65_536);
    expect(large.payload_bytes).toBeGreaterThan(5_000_000);
  });

  it('counts what it did, and how far behind it is', async () => {
    const before = await metrics();
    const turns = conversation('c', [...REPAIRED, 'Anything else?', 'MAYBE']);
    const value = JSON.stringify(turnEvent({ conversationId: 'nul', content: 'NUL' })).replace(
      'NUL',
      String.raw`\u0000`,
    );
    await ingest([...turns.map(asRecord), asRecord(turns[0]!), { key: 'k', value }, { key: 'k', value: 'no json' }]);
    const after = await metrics();
    const gained = (metric: string) => (after.get(metric) ?? 0) - (before.get(metric) ?? 0);
    expect(gained('driftloop_ingest_records_total{outcome="stored"}')).toBe(9);
    expect(gained('driftloop_ingest_records_total{outcome="rejected"}')).toBe(1);
    expect(gained('driftloop_ingest_turns_total')).toBe(8);
    expect(gained('driftloop_ingest_duplicate_turns_total')).toBe(1);
    expect(gained('driftloop_ingest_sanitised_records_total')).toBe(1);
    expect(gained('driftloop_dead_letters_total{reason="undecodable"}')).toBe(1);
    expect(gained('driftloop_verdicts_total{label="dsat",stage="first",status="final"}')).toBe(1);
    expect(gained('driftloop_verdicts_total{label="neutral",stage="first",status="provisional"}')).toBe(1);
    expect(gained('driftloop_anchors_created_total')).toBe(1);
    expect(gained('driftloop_seed_pairs_created_total')).toBe(1);
    const lags = [...after].filter(([name]) => name.startsWith('driftloop_consumer_lag_records{'));
    expect(lags.map(([, value]) => value)).toEqual(Array(6).fill(0));
    const ages = [...after].filter(([name]) => name.startsWith('driftloop_ingest_batch_age_seconds{'));
    expect(ages.length).toBeGreaterThan(0);
    for (const [, age] of ages) expect(age).toBeLessThan(60);
  });

  it('sends dead letters to their topic with the error and the original headers', async () => {
    const headers = { 'content-type': 'application/vnd.other+json', trace: 'abc' };
    await ingest([{ key: 'k', value: '{"secret":1}', headers }]);
    const [letter] = await harness.deadLetters(1);
    const [row] = await harness.rows('dead_letters');
    expect(letter!.value?.toString()).toBe('{"secret":1}');
    expect(letter!.key?.toString()).toBe('k');
    const sent = Object.fromEntries(Object.entries(letter!.headers!).map(([name, value]) => [name, String(value)]));
    expect(sent).toEqual({
      ...headers,
      'driftloop-reason': 'unknown-format',
      'driftloop-detail': 'no form is called application/vnd.other+json',
      'driftloop-topic': harness.config.topics.turns,
      'driftloop-partition': String(row!.partition),
      'driftloop-offset': '0',
      'driftloop-timestamp': expect.stringMatching(/^\d{13}$/),
      'driftloop-item': '0',
      'driftloop-sha256': row!.sha256,
      'driftloop-bytes': '12',
    });
    expect(row!.headers).toEqual({ 'content-type': ['application/vnd.other+json'], trace: ['abc'] });
  });

  it('stores other scripts as they are, and U+FFFD for NUL and lone surrogates', async () => {
    const hindi = 'मुझे बेहतर उत्तर चाहिए 😀';
    const turns = conversation('c', [hindi, 'NUL', 'LONE']);
    const records = turns.map((turn) => ({
      key: 'c',
      value: JSON.stringify(turn).replace('NUL', String.raw`a\u0000b`).replace('LONE', String.raw`\ud800 BAD`),
    }));
    await ingest(records);
    expect((await harness.rows('turns')).map(({ content }) => content)).toEqual([hindi, 'a\ufffdb', '\ufffd BAD']);
    expect(await harness.rows('anchors')).toHaveLength(1);
    expect(await harness.rows('dead_letters')).toEqual([]);
  });

  it('takes whole conversations in foreign forms, and their turns again as duplicates', async () => {
    const type = (name: string) => ({ 'content-type': `application/vnd.driftloop.${name}+json` });
    const window = (id: string, values: string[], first: 'human' | 'gpt') => ({
      key: id,
      value: JSON.stringify({
        id,
        conversations: values.map((value, index) => ({
          from: (index % 2 === 0) === (first === 'human') ? 'human' : 'gpt',
          value,
        })),
      }),
      headers: type('sharegpt'),
    });
    const messages = REPAIRED.map((content, turn) => ({ role: turn % 2 ? 'assistant' : 'user', content }));
    const openai = (count: number) => ({
      key: 'o',
      value: JSON.stringify({ metadata: { conversation_id: 'o' }, messages: messages.slice(0, count) }),
      headers: type('openai.messages'),
    });
    await ingest([
      window('s_3', REPAIRED.slice(3), 'gpt'),
      window('s_0', REPAIRED.slice(0, 4), 'human'),
      openai(1),
      openai(3),
      openai(5),
      {
        key: 'd',
        value: JSON.stringify({
          prompt: messages.slice(0, 1),
          rejected: messages.slice(1, 2),
          user_preference: messages[2],
        }),
        headers: type('drift'),
      },
    ]);
    expect(await harness.rows('turns')).toHaveLength(5 + 5 + 3);
    expect(await harness.rows('anchors')).toHaveLength(3);
    expect((await harness.rows('seed_pairs')).map(({ conversation_id }) => conversation_id)).toEqual(['o', 's']);
    expect(await harness.rows('dead_letters')).toEqual([]);
  });
});

const byParity = <T>(items: T[]): T[] => [
  ...items.filter((_, i) => i % 2 === 0),
  ...items.filter((_, i) => i % 2 === 1),
];

/** Values of the process's metrics, by name and labels as they are exposed. */
async function metrics(): Promise<Map<string, number>> {
  const lines = (await register.metrics()).split('\n').filter((line) => line.startsWith('driftloop_'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}
