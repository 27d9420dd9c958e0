import type { Producer, ProducerRecord } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dropLetters } from '../../src/chat-log/dead-letter-drop.js';
import { countLetters, listLetters, readLetters } from '../../src/chat-log/dead-letter-read.js';
import { replayLetters } from '../../src/chat-log/dead-letter-replay.js';
import { emptyLetterTopic } from '../../src/chat-log/empty-letter-topic.js';
import { withProducer } from '../../src/kafka/kafka-client.js';
import { asRecord, conversation } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

describe('dead letters', () => {
  let harness: IngestHarness;

  beforeEach(async () => {
    harness = await IngestHarness.create();
  });
  afterEach(() => harness.close());

  const turns = conversation('c', ['Capital of Australia?', 'Sydney.', 'BAD']);
  const rewritten = { ...asRecord({ ...turns[1]!, content: 'Canberra.' }), headers: { trace: 't-1' } };
  const replay = (producer?: Pick<Producer, 'send'>, filter = {}) =>
    producer
      ? replayLetters(harness.dataSource, producer, filter)
      : withProducer(harness.config, (own) => replayLetters(harness.dataSource, own, filter));

  /** A producer that only keeps what it is to send. */
  function recorder() {
    const sent: ProducerRecord[] = [];
    const send = async (request: ProducerRecord) => {
      sent.push(request);
      return [];
    };
    return { sent, send };
  }

  async function ingest(...messages: Parameters<IngestHarness['produce']>[0]): Promise<void> {
    await harness.produce(messages);
    await harness.startConsumer();
    await harness.stored();
  }

  it('are listed, counted by reason, and shown with what was sent', async () => {
    const value = JSON.stringify({ ...turns[0], role: 'nobody' });
    await ingest(
      { key: 'c', value: '{' },
      { key: 'c', value, headers: { trace: ['a', 'b'], raw: Buffer.from([255]) } },
    );
    expect(await listLetters(harness.dataSource, { reason: 'invalid' })).toMatchObject([
      {
        reason: 'invalid',
        detail: expect.stringMatching(/^role: /),
        bytes: value.length,
        whole: true,
        replayedAt: null,
      },
    ]);
    expect(await countLetters(harness.dataSource)).toEqual([
      { reason: 'invalid', count: 1 },
      { reason: 'undecodable', count: 1 },
    ]);
    const [letter] = await listLetters(harness.dataSource, { reason: 'invalid' });
    expect(await readLetters(harness.dataSource, letter!.record)).toMatchObject([
      {
        key: 'c',
        payload: value,
        headers: { trace: ['a', 'b'], raw: [{ base64: '/w==' }] },
        recordTime: expect.any(Date),
      },
    ]);
    await expect(readLetters(harness.dataSource, 'none/0/1')).rejects.toMatchObject({ code: 'not-found' });
    await expect(readLetters(harness.dataSource, '7')).rejects.toMatchObject({ code: 'usage' });
  });

  it('are taken when they are replayed once what was wrong is repaired', async () => {
    await ingest(...turns.map(asRecord), rewritten);
    await harness.dataSource.query(`DELETE FROM anchors; DELETE FROM verdicts; DELETE FROM turns WHERE turn = 1`);
    const { replayed, notWhole } = await replay();
    expect({ replayed: replayed.length, notWhole }).toEqual({ replayed: 1, notWhole: [] });
    await harness.stored();
    expect(await harness.rows('turns')).toMatchObject([{}, { turn: 1, content: 'Canberra.' }, {}]);
    expect(await listLetters(harness.dataSource)).toMatchObject([{ replayedAt: expect.any(Date) }]);
    expect(await replay()).toEqual({ replayed: [], notWhole: [] });
  });

  it('stay in their conversation when they are replayed, also where that was derived from who sent it', async () => {
    const record = (...contents: string[]) => ({
      key: 'k',
      value: JSON.stringify({
        user: 'alice',
        messages: contents.map((content, at) => ({ role: at % 2 === 0 ? 'user' : 'assistant', content })),
      }),
      headers: { 'content-type': 'application/vnd.driftloop.openai.messages+json' },
    });
    await ingest(record('Capital of Australia?', 'Sydney.'), record('Capital of Australia?', 'Canberra.', 'Thanks.'));
    const before = await harness.rows('turns');
    expect(before).toHaveLength(3);
    expect((await replay()).replayed).toHaveLength(1);
    await harness.stored();
    expect(await harness.rows('turns')).toEqual(before);
  });

  it('are letters anew when they are not taken again, and wait for the next time', async () => {
    await ingest(...turns.map(asRecord), rewritten);
    const [letter] = await listLetters(harness.dataSource);
    await replay();
    await harness.stored();
    const letters = await listLetters(harness.dataSource);
    expect(letters.map(({ replayedAt }) => replayedAt === null)).toEqual([true, false]);
    expect(await readLetters(harness.dataSource, letters[0]!.record)).toMatchObject([
      { key: 'c', headers: { trace: ['t-1'], 'driftloop-replay-of': [letter!.record] } },
    ]);
  });

  it('go out once a record, with the key, headers and time it had', async () => {
    const messages = turns.map(({ role }, turn) => ({ role, content: `other ${turn}` }));
    const record = { messages, metadata: { conversation_id: 'c' } };
    const headers = { 'content-type': 'application/vnd.driftloop.openai.messages+json', raw: Buffer.from([255]) };
    const again = { key: 'c', value: JSON.stringify(record), headers, timestamp: '1767323045000' };
    await ingest(...turns.map(asRecord), again);
    expect(await countLetters(harness.dataSource)).toEqual([{ reason: 'conflict', count: 3 }]);
    const { sent, send } = recorder();
    const { replayed } = await replay({ send });
    expect(replayed).toHaveLength(1);
    expect(sent).toEqual([
      {
        topic: harness.config.topics.turns,
        acks: -1,
        messages: [
          {
            key: Buffer.from('c'),
            value: Buffer.from(again.value),
            timestamp: '1767323045000',
            headers: {
              'content-type': [Buffer.from(headers['content-type'])],
              raw: [headers.raw],
              'driftloop-replay-of': replayed[0],
            },
          },
        ],
      },
    ]);
    expect((await listLetters(harness.dataSource)).every(({ replayedAt }) => replayedAt)).toBe(true);
  });

  it('cannot be replayed where something of the record was left out', async () => {
    await ingest(
      { key: 'a', value: `{"x":"${'y'.repeat(70_000)}"}` },
      { key: 'b', value: '{', headers: { large: 'x'.repeat(70_000) } },
      { key: 'k'.repeat(70_000), value: '{' },
    );
    const { replayed, notWhole } = await replay();
    expect(replayed).toEqual([]);
    expect(notWhole.map(({ bytes }) => bytes).sort((a, b) => a - b)).toEqual([1, 1, 70_008]);
    expect((await listLetters(harness.dataSource, { state: 'waiting' })).map(({ whole }) => whole)).toEqual(
      Array(3).fill(false),
    );
  });

  it('still wait where the broker did not take them', async () => {
    await ingest({ key: 'a', value: '{' });
    await expect(replay({ send: () => Promise.reject(new Error('gone')) })).rejects.toThrow('gone');
    expect(await listLetters(harness.dataSource, { state: 'waiting' })).toHaveLength(1);
  });

  it('are replayed and marked where the topic of later ones is gone', async () => {
    await ingest({ key: 'a', value: '{' }, { key: 'b', value: '[' });
    const { turns } = harness.config.topics;
    const move = 'UPDATE dead_letters SET topic = $1 WHERE payload = $2';
    await harness.dataSource.query(move, [`${turns}.gone`, Buffer.from('[')]);
    await expect(replay()).rejects.toMatchObject({ code: 'broker-unavailable' });
    const replayed = await listLetters(harness.dataSource, { state: 'replayed' });
    expect(replayed).toMatchObject([{ record: expect.stringContaining(`${turns}/`) }]);
  });

  it('are replayed by one at a time', async () => {
    await ingest({ key: 'a', value: '{' }, { key: 'b', value: '[' });
    const { sent, send } = recorder();
    const outcomes = await Promise.all([replay({ send }), replay({ send })]);
    expect(sent.flatMap(({ messages }) => messages)).toHaveLength(2);
    expect(outcomes.flatMap(({ replayed }) => replayed)).toHaveLength(2);
  });

  it('are taken off their topic, and stay where they are kept', async () => {
    const { topics } = harness.config;
    await ingest({ key: 'a', value: '{' }, { key: 'b', value: '[' });
    expect(await emptyLetterTopic(harness.config, topics.deadLetters)).toBe(2);
    expect(await emptyLetterTopic(harness.config, topics.deadLetters)).toBe(0);
    expect(await listLetters(harness.dataSource)).toHaveLength(2);
  });

  it('are dropped by what is asked for, and nothing else', async () => {
    await ingest({ key: 'a', value: '{' }, { key: 'b', value: '[]' });
    const [letter] = await listLetters(harness.dataSource, { reason: 'undecodable' });
    expect(await dropLetters(harness.dataSource, { state: 'replayed' })).toBe(0);
    expect(await dropLetters(harness.dataSource, { records: [letter!.record], reason: 'undecodable' })).toBe(1);
    expect(await countLetters(harness.dataSource)).toEqual([{ reason: 'unknown-format', count: 1 }]);
  });
});
