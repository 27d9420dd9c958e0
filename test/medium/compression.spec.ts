import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { requireAsset } from '../../src/stack/assets.js';
import { conversation } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

const PRODUCER = fileURLToPath(new URL('../java/SendCompressed.java', import.meta.url));

let harness: IngestHarness;
beforeEach(async () => {
  harness = await IngestHarness.create();
});
afterEach(() => harness.close());

it('takes what a Java client sends with each codec of the protocol', async () => {
  // More than a block of each codec, and text that it shortens.
  const contents = Array.from({ length: 40 }, (_, turn) => `${turn} ${`word ${turn} `.repeat(1_000)}ü`);
  const codecs = ['gzip', 'snappy', 'lz4', 'zstd'];
  const turns = codecs.flatMap((codec) => conversation(codec, contents));
  const lines = turns.map((turn) => `${turn.conversationId}\t${turn.conversationId}\t${JSON.stringify(turn)}\n`);
  const { kafkaBrokers, topics } = harness.config;
  const classpath = join(requireAsset(harness.config, 'kafkaLibs'), '*');
  const sent = spawnSync('java', ['-cp', classpath, PRODUCER, kafkaBrokers.join(','), topics.turns], {
    input: lines.join(''),
    encoding: 'utf8',
  });
  expect(sent, sent.stderr).toMatchObject({ status: 0 });
  await harness.startConsumer();
  await harness.stored();
  const stored = await harness.rows('turns');
  expect(stored.map(({ conversation_id, turn, content }) => [conversation_id, turn, content]).sort()).toEqual(
    turns.map(({ conversationId, turn, content }) => [conversationId, turn, content]).sort(),
  );
});
