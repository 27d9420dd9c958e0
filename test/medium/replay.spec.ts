import { afterEach, beforeEach, expect, it } from 'vitest';
import { replayConversations } from '../../src/chat-log/replay.js';
import type { CorpusConversation } from '../../src/chat-log/sharegpt-corpus.js';
import { IngestHarness } from './ingest-harness.js';

let harness: IngestHarness;
beforeEach(async () => {
  harness = await IngestHarness.create();
});
afterEach(() => harness.close());

const conversations = (count: number): CorpusConversation[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `c${index}`,
    turns: [
      { role: 'user', content: `question ${index}` },
      { role: 'assistant', content: 'x'.repeat(20_000) },
      { role: 'user', content: 'BAD' },
    ],
  }));

function replay(count: number, salt?: string, turnsPerSecond?: number) {
  return replayConversations({
    kafka: harness.config,
    topic: harness.config.topics.turns,
    conversations: conversations(count),
    salt,
    turnsPerSecond,
  });
}

it('replays conversations as valid turns, and under a salt as other conversations', async () => {
  expect(await replay(50)).toMatchObject({ conversations: 50, turns: 150 });
  await replay(50);
  await replay(50, 'again');
  await harness.startConsumer();
  await harness.stored();
  expect(await harness.rows('turns')).toHaveLength(300);
  expect(await harness.rows('anchors')).toHaveLength(100);
  expect(await harness.rows('dead_letters')).toEqual([]);
  expect((await harness.rows('turns'))[1]).toMatchObject({ turn: 1, role: 'assistant', model: 'chatgpt' });
});

it('keeps to the rate that it is given', async () => {
  const { turns, seconds } = await replay(20, undefined, 100);
  // A timer may end a millisecond early.
  expect(turns / seconds).toBeLessThan(101);
});

it('says that the broker is not there', async () => {
  const target = { kafka: { kafkaBrokers: ['127.0.0.1:1'] }, topic: harness.config.topics.turns };
  const replaying = replayConversations({ ...target, conversations: conversations(1) });
  await expect(replaying).rejects.toMatchObject({ code: 'broker-unavailable', retriable: true });
});
