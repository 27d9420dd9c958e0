import type { DataSource } from 'typeorm';
import { replayConversations } from '../../chat-log/replay.js';
import { waitUntilSettled } from '../../chat-log/settled.js';
import { type CorpusConversation, readShareGptCorpus } from '../../chat-log/sharegpt-corpus.js';
import type { Config } from '../../config/config.js';
import { requireAsset } from '../../stack/assets.js';
import type { Stack } from '../../stack/stack.js';
import type { Console } from './console.js';

/** Replays those of the first `count` real conversations that are not stored whole, and waits until all is settled. */
export async function replayNew(
  config: Config,
  stack: Stack,
  dataSource: DataSource,
  count: number,
  console: Console,
  signal: AbortSignal,
): Promise<void> {
  const wanted = (await readShareGptCorpus(requireAsset(config, 'chatLogs'))).slice(0, count);
  const conversations = await withoutStored(dataSource, wanted);
  console.say(`  ${conversations.length} of ${wanted.length} conversations are new`);
  const shared = { kafka: stack, topic: config.topics.turns, signal };
  if (conversations.length > 0) {
    const { turns, seconds } = await replayConversations({
      ...shared,
      conversations,
      onProgress: (done) => console.progress(`produced ${done.turns} turns`),
    });
    console.say(`  produced ${turns} turns to ${config.topics.turns} in ${seconds.toFixed(1)} s`);
  }
  await waitUntilSettled({
    ...shared,
    dataSource,
    consumerGroup: config.consumerGroup,
    onProgress: ({ behind, provisional }) =>
      console.progress(`${behind} records to ingest, ${provisional} verdicts to settle`),
  });
}

async function withoutStored(dataSource: DataSource, wanted: CorpusConversation[]): Promise<CorpusConversation[]> {
  const stored = await dataSource.query<{ id: string; turns: number }[]>(
    `SELECT conversation_id AS id, count(*)::int AS turns FROM turns WHERE conversation_id = ANY ($1) GROUP BY 1`,
    [wanted.map(({ id }) => id)],
  );
  const turnsOf = new Map(stored.map(({ id, turns }) => [id, turns]));
  return wanted.filter(({ id, turns }) => (turnsOf.get(id) ?? 0) < turns.length);
}
