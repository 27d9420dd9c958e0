import { Kafka, logLevel } from 'kafkajs';
import { afterAll, expect, it } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { createTestDatabase, createTestTopics, testBrokers } from '../stack.js';

const databases = await Promise.all([createTestDatabase(), createTestDatabase()]);
afterAll(() => Promise.all(databases.map((database) => database.drop())));

it('gives each test a database with the whole schema that no other test sees', async () => {
  const [first, second] = await Promise.all(databases.map(({ url }) => createDataSource(url, 1).initialize()));
  try {
    await first!.query(`INSERT INTO classifier_versions (version, card) VALUES ('v', '{}')`);
    expect(await first!.query('SELECT version FROM classifier_versions')).toEqual([{ version: 'v' }]);
    expect(await second!.query('SELECT version FROM classifier_versions')).toEqual([]);
    expect(await first!.runMigrations()).toEqual([]);
  } finally {
    await first!.destroy();
    await second!.destroy();
  }
});

it('gives each test topics that take a record of 5 MB, and compact the policy versions', async () => {
  const topics = await createTestTopics();
  const kafka = new Kafka({ brokers: testBrokers(), logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  const admin = kafka.admin();
  await Promise.all([producer.connect(), admin.connect()]);
  try {
    await producer.send({ topic: topics.turns, messages: [{ key: 'k', value: Buffer.alloc(5_000_000, 'x') }] });
    const offsets = await admin.fetchTopicOffsets(topics.turns);
    expect(offsets).toHaveLength(6);
    expect(offsets.filter(({ offset }) => offset === '1')).toHaveLength(1);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: topics.policyVersions, configNames: ['cleanup.policy'] }],
    });
    expect(resources[0]?.configEntries[0]?.configValue).toBe('compact');
  } finally {
    await Promise.all([producer.disconnect(), admin.disconnect()]);
  }
});
