import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { announceVersions } from '../../src/policy/announce-versions.js';
import { publishVersion } from '../../src/policy/publish-version.js';
import type { Fenced } from '../../src/training/store/trainer-lease.js';
import { train } from '../../src/training/train.js';
import { insertRun } from '../factories/runs.js';
import { insertAnchors, readEvents, request, startTraining, type TrainingHarness } from './training-harness.js';

let harness: TrainingHarness;
beforeEach(async () => {
  harness = await startTraining();
});
afterEach(() => harness.close());

const NO_KAFKA = { kafkaBrokers: ['127.0.0.1:1'] };

const open: Fenced = { write: (work) => harness.dataSource.transaction(work) };
const killed: Fenced = {
  write: async () => {
    throw new Error('killed');
  },
};

async function newPolicy() {
  const run = await insertRun(harness.dataSource, { id: 'r1', status: 'running', endedAt: null });
  const checkpoint = join(harness.config.stateDir, 'checkpoint');
  mkdirSync(checkpoint, { recursive: true });
  writeFileSync(join(checkpoint, 'model.safetensors'), 'weights');
  const { policyDir } = harness.config;
  const facts = {
    baseModel: 'base',
    kind: 'full' as const,
    parent: null,
    run,
    snapshotHash: 'abc',
    settings: {},
    metrics: {},
  };
  return { policyDir, checkpoint, ...facts };
}

it('ends with one whole version when it was killed between the directory and the row', async () => {
  const policy = await newPolicy();
  await expect(publishVersion(harness.dataSource, killed, policy)).rejects.toThrow('killed');
  expect(await harness.dataSource.query('SELECT 1 FROM policy_versions')).toEqual([]);
  const version = await publishVersion(harness.dataSource, open, policy);
  expect(version).toMatchObject({ version: 'v1', number: 1, runId: 'r1', announcedAt: null });
  expect(readdirSync(policy.policyDir)).toEqual(['v1']);
  expect(await publishVersion(harness.dataSource, killed, policy)).toEqual(version);
});

it('replaces what it left half written', async () => {
  const policy = await newPolicy();
  mkdirSync(join(policy.policyDir, 'v1.tmp'), { recursive: true });
  writeFileSync(join(policy.policyDir, 'v1.tmp', 'half'), '');
  await publishVersion(harness.dataSource, open, policy);
  expect(readdirSync(policy.policyDir)).toEqual(['v1']);
  expect(readdirSync(join(policy.policyDir, 'v1'))).not.toContain('half');
});

it('leaves a directory alone that another database made', async () => {
  const policy = await newPolicy();
  const foreign = join(policy.policyDir, 'v1');
  mkdirSync(foreign, { recursive: true });
  writeFileSync(
    join(foreign, 'manifest.json'),
    JSON.stringify({ run: 'r1', runStartedAt: '2020-01-01T00:00:00.000Z' }),
  );
  expect(await publishVersion(harness.dataSource, open, policy)).toMatchObject({ version: 'v2', number: 2 });
  expect(JSON.parse(readFileSync(join(foreign, 'manifest.json'), 'utf8'))).toMatchObject({ run: 'r1' });
});

it('sends the event at the next start when it was killed between row and event', async () => {
  await publishVersion(harness.dataSource, open, await newPolicy());
  await expect(announceVersions(harness.dataSource, open, NO_KAFKA, harness.config.topics)).rejects.toMatchObject({
    code: 'broker-unavailable',
    retriable: true,
  });
  await harness.dataSource.query(`UPDATE runs SET status = 'done', ended_at = now()`);
  expect(await readEvents(harness)).toEqual([]);
  expect(await train(harness, request())).toMatchObject({ outcome: 'nothing-to-do' });
  expect(await readEvents(harness)).toMatchObject([{ version: 'v1', run: 'r1' }]);
  expect(await announceVersions(harness.dataSource, open, harness.kafka, harness.config.topics)).toEqual([]);
});

it('keeps a run open whose event could not be sent, and ends it later with the same version', async () => {
  await insertAnchors(harness.dataSource, 20);
  await expect(train({ ...harness, kafka: NO_KAFKA }, request())).rejects.toMatchObject({
    code: 'broker-unavailable',
  });
  expect(await train(harness, request())).toMatchObject({ outcome: 'published', run: 'r1', version: 'v1' });
  expect(await readEvents(harness)).toHaveLength(1);
}, 120_000);
