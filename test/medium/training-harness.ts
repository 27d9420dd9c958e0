import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { inject } from 'vitest';
import { derivedId } from '../../src/anchor/derived-id.js';
import type { Config } from '../../src/config/config.js';
import { createDataSource } from '../../src/database/data-source.js';
import { createKafka } from '../../src/kafka/kafka-client.js';
import { type PolicyPublished, policyPublishedSchema } from '../../src/policy/policy-event.js';
import { Progress } from '../../src/training/progress.js';
import { type RunSettings, settingsOf } from '../../src/training/settings.js';
import type { Trainer, TrainRequest } from '../../src/training/train.js';
import { insertAnchor, insertTurns } from '../factories/anchors.js';
import { writeTinyModel } from '../factories/tiny-model.js';
import { UnigramEngine } from '../factories/unigram-engine.js';
import { createTestDatabase, createTestTopics } from '../stack.js';

export interface TrainingHarness extends Trainer {
  engine: UnigramEngine;
  lines: string[];
  close(): Promise<void>;
}

/** A trainer with a real database and broker, and a model that trains at once. */
export async function startTraining(): Promise<TrainingHarness> {
  const database = await createTestDatabase();
  const dataSource = await createDataSource(database.url, 4).initialize();
  const dir = mkdtempSync(join(tmpdir(), 'driftloop-training-'));
  writeTinyModel(join(dir, 'base'));
  const lines: string[] = [];
  return {
    dataSource,
    kafka: inject('stack'),
    config: { stateDir: join(dir, 'state'), policyDir: join(dir, 'policies'), topics: await createTestTopics() },
    baseDir: join(dir, 'base'),
    engine: new UnigramEngine(),
    progress: new Progress((line) => lines.push(line)),
    signal: new AbortController().signal,
    lines,
    close: async () => {
      await dataSource.destroy();
      await database.drop();
    },
  };
}

export function request(overrides: Partial<RunSettings> = {}, rest: Partial<TrainRequest> = {}): TrainRequest {
  const small = {
    anchors: 8,
    heldOutAnchors: 4,
    newTokens: 24,
    sequenceTokens: 408,
    learningRate: 0.5,
    guidedPromptTokens: 600,
  };
  return { settings: settingsOf('quick', { ...small, ...overrides }), from: 'latest', force: false, ...rest };
}

/**
 * So many conversations with an anchor each; about a fifth is held out. They all say the same: fifty of them together are
 * a burst.
 */
export async function insertAnchors(dataSource: DataSource, count: number, prefix = 'conversation'): Promise<void> {
  for (let index = 0; index < count; index++) {
    const id = `${prefix}-${index}`;
    await insertTurns(dataSource, id, [
      { role: 'user', content: `what is number ${index} in words` },
      { role: 'assistant', content: `QUITE A WRONG REPLY ABOUT ${index}` },
      { role: 'user', content: 'that is wrong' },
      { role: 'assistant', content: `number ${index} in small letters` },
      { role: 'user', content: 'thank you' },
    ]);
    await insertAnchor(dataSource, id, 2);
  }
}

/** Makes a seed pair of the first anchors. */
export async function insertSeedPairs(dataSource: DataSource, count: number, prefix = 'conversation'): Promise<void> {
  for (let index = 0; index < count; index++) {
    const id = `${prefix}-${index}`;
    await dataSource.query(
      'INSERT INTO seed_pairs (id, conversation_id, turn, chosen_turn, sat_turn, similarity) VALUES ($1, $2, 2, 3, 4, 1)',
      [derivedId('seed-pair', id, 2), id],
    );
  }
}

/** Everything on the topic of versions, in its order. */
export async function readEvents({
  kafka: servers,
  config,
}: Pick<Trainer, 'kafka'> & { config: Pick<Config, 'topics'> }): Promise<PolicyPublished[]> {
  const topic = config.topics.policyVersions;
  const kafka = createKafka(servers);
  const admin = kafka.admin();
  await admin.connect();
  const high = (await admin.fetchTopicOffsets(topic))[0]!.high;
  await admin.disconnect();
  const events: PolicyPublished[] = [];
  if (Number(high) === 0) return events;
  const consumer = kafka.consumer({ groupId: `read-${topic}-${Math.random()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({
      message,
    }: {
      message: { key: Buffer | null; value: Buffer | null; offset: string };
    }) => {
      const event = policyPublishedSchema.parse(JSON.parse(String(message.value)));
      if (event.version !== String(message.key)) reject(new Error(`key ${message.key} of ${event.version}`));
      events.push(event);
      if (Number(message.offset) === Number(high) - 1) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return events;
}
