import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { importAnchors } from '../../src/anchor/anchor-import.js';
import { loadConfig } from '../../src/config/config.js';
import { DriftError } from '../../src/drift-error.js';
import { evaluationSchema } from '../../src/training/evaluation.js';
import { splitOf } from '../../src/training/plan/split.js';
import { readPairs } from '../../src/training/store/pair-store.js';
import type { TrainSummary } from '../../src/training/summary.js';
import { type TrainRequest, train } from '../../src/training/train.js';
import { OpenAiServer, refuse } from '../factories/openai-server.js';
import { testPrivacy } from '../factories/privacy.js';
import {
  insertAnchors,
  insertSeedPairs,
  readEvents,
  request,
  startTraining,
  type TrainingHarness,
} from './training-harness.js';

let harness: TrainingHarness;
beforeEach(async () => {
  harness = await startTraining();
});
afterEach(() => harness.close());

async function published(of: TrainRequest): Promise<TrainSummary> {
  const result = await train(harness, of);
  if (result.outcome !== 'published') throw new Error(result.why);
  return result;
}

function weightsOf({ uri }: { uri: string }): string {
  return createHash('sha256')
    .update(readFileSync(join(fileURLToPath(uri), 'weights.json')))
    .digest('hex');
}

/** What the reply judge expected of the pairs of each iteration, from 0. */
async function judged(run: string): Promise<unknown[]> {
  const rows = await harness.dataSource.query<{ replies: unknown }[]>(
    `SELECT outcome -> 'replies' AS replies FROM run_stages WHERE run_id = $1 AND stage = 'pair' ORDER BY iteration`,
    [run],
  );
  return rows.map(({ replies }) => replies);
}

/** Lets the next run take the same training anchors: else those that were trained on come last. */
const forgetPlan = (run: string) => harness.dataSource.query('DELETE FROM run_anchors WHERE run_id = $1', [run]);

it('goes from anchors to a published version whose margins grow', async () => {
  await insertAnchors(harness.dataSource, 40);
  await insertSeedPairs(harness.dataSource, 20);
  const summary = await published(request());
  expect(summary).toMatchObject({
    run: 'r1',
    version: 'v1',
    parent: null,
    anchors: { active: 40, train: 8, heldOut: 4 },
  });
  expect(summary.warmStart).toMatchObject({ status: 'done', pairs: 8 });
  expect(summary.iterations.map(({ iteration }) => iteration)).toEqual([1, 2]);
  expect(summary.rescored.marginLow).toBeGreaterThan(0);
  expect(summary.rescored.rejectedReward).toBeLessThan(0);
  expect(summary.iterations[1]!.heldOut.marginMean).toBeGreaterThan(summary.iterations[0]!.heldOut.marginMean);
  expect(summary.replies.length).toBe(4);
  expect(await judged('r1')).toEqual([
    null,
    ...[1, 2].map(() => ({
      judge: expect.stringMatching(/^reply-[0-9a-f]{12}$/),
      ...{ pairs: expect.any(Number), improved: expect.any(Number) },
      ...{ chosenDispleases: expect.any(Number), rejectedDispleases: expect.any(Number) },
    })),
  ]);
  for (const iteration of summary.iterations) expect(evaluationSchema.safeParse(iteration).success).toBe(true);
  expect(harness.engine.loaded).toBe(0);
});

it('keeps the held-out conversations out of everything that is trained on', async () => {
  await insertAnchors(harness.dataSource, 40);
  await insertSeedPairs(harness.dataSource, 40);
  const { run } = await published(request());
  const rows = await harness.dataSource.query<{ split: string; conversation: string }[]>(
    'SELECT split, conversation_id AS conversation FROM pairs JOIN anchors ON anchors.id = anchor_id WHERE run_id = $1',
    [run],
  );
  expect(new Set(rows.map(({ split }) => split))).toEqual(new Set(['warm-start', 'train', 'held-out']));
  for (const { split, conversation } of rows)
    expect(splitOf(conversation)).toBe(split === 'held-out' ? 'held-out' : 'train');
});

it('trains on imported anchors only when asked to, and samples those unguided', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'driftloop-import-')), 'preferences.jsonl');
  const line = (index: number) =>
    JSON.stringify({
      prompt: `what is number ${index} in words`,
      chosen: 'no matter',
      rejected: `QUITE WRONG ABOUT ${index}`,
    });
  writeFileSync(file, Array.from({ length: 40 }, (_, index) => line(index)).join('\n'));
  const privacy = testPrivacy();
  await importAnchors({ dataSource: harness.dataSource, privacy }, file, 'test');
  expect(await train(harness, request())).toMatchObject({ outcome: 'nothing-to-do' });
  const { run, anchors } = await published(request({ origin: 'imported', iterations: 1 }));
  expect(anchors).toMatchObject({ active: 40, train: 8, heldOut: 4 });
  const [pair] = await readPairs(harness.dataSource, { runId: run, iteration: 1, split: 'train' });
  expect(pair!.sampling).toMatchObject({ mode: 'unguided' });
  expect(await train(harness, request({ origin: 'imported' }))).toMatchObject({ outcome: 'nothing-to-do' });
});

it('stores pairs against the bare prompt, whatever chosen was sampled from', async () => {
  await insertAnchors(harness.dataSource, 20);
  const { run } = await published(request({ iterations: 1 }));
  const [pair] = await readPairs(harness.dataSource, { runId: run, iteration: 1, split: 'train' });
  const text = String.fromCharCode(...pair!.promptIds.filter((id) => id > 2).map((id) => id - 3));
  expect(text).toContain('in words');
  expect(text).not.toContain('that is wrong');
  expect(pair!.rejected).toMatch(/^QUITE A WRONG REPLY/);
  expect(pair!.sampling).toMatchObject({ mode: 'guided', try: 1 });
});

it('writes a directory whose files are those of the row, the manifest and the event', async () => {
  await insertAnchors(harness.dataSource, 20);
  const { uri, version, snapshotHash } = await published(request());
  const dir = fileURLToPath(uri);
  const [event, ...others] = await readEvents(harness);
  expect(others).toEqual([]);
  expect(event).toMatchObject({ version, parent: null, baseModel: 'base', kind: 'full', uri, run: 'r1', snapshotHash });
  expect(event!.files.map(({ path }) => path).sort()).toEqual(readdirSync(dir).sort());
  for (const { path, bytes, sha256 } of event!.files) {
    const content = readFileSync(join(dir, path));
    expect([content.length, createHash('sha256').update(content).digest('hex')]).toEqual([bytes, sha256]);
  }
  expect(readdirSync(dir)).toEqual(
    expect.arrayContaining(['tokenizer.json', 'chat_template.jinja', 'manifest.json', 'weights.json']),
  );
  expect(existsSync(join(harness.config.stateDir, 'runs', 'r1'))).toBe(false);
});

it('has nothing to do while no anchor is new, and goes on from its version when told or when one is', async () => {
  await insertAnchors(harness.dataSource, 20);
  await published(request());
  expect(await train(harness, request())).toMatchObject({
    outcome: 'nothing-to-do',
    why: expect.stringContaining('--force'),
  });
  expect(await published(request({}, { force: true }))).toMatchObject({ run: 'r2', version: 'v2', parent: 'v1' });
  await insertAnchors(harness.dataSource, 1, 'late');
  const third = await published(request());
  expect(third).toMatchObject({ version: 'v3', parent: 'v2', anchors: { new: 1 } });
  expect(third.warmStart).toMatchObject({ status: 'skipped', reason: expect.stringContaining('v2') });
  expect((await readEvents(harness)).map(({ version }) => version)).toEqual(['v1', 'v2', 'v3']);
});

it('lets a language model judge the replies when told to, and goes on without it', async () => {
  await insertAnchors(harness.dataSource, 20);
  const shown: string[] = [];
  const server = await OpenAiServer.start(({ body }, response) => {
    const content = body.messages.at(-1)!.content;
    shown.push(content);
    if (shown.length > 20) return refuse(response, 401);
    const { A, reply } = JSON.parse(content) as { A?: string; reply?: string };
    if (A !== undefined) return JSON.stringify({ better: A.startsWith('QUITE') ? 'B' : 'A' });
    return JSON.stringify({ displeases: reply!.startsWith('QUITE') ? 80 : 30 });
  });
  harness.config.judge = loadConfig({ DRIFTLOOP_JUDGE_URL: server.url, DRIFTLOOP_JUDGE_MODEL: 'small' }).judge;
  try {
    const summary = await published(request({ replyJudge: 'llm', anchors: 4, warmStart: false }));
    const [, first, second] = (await judged(summary.run)) as [null, { pairs: number } | null, null];
    expect(first).toMatchObject({ judge: 'reply-small', improved: 1, chosenDispleases: 0.3, rejectedDispleases: 0.8 });
    expect(first!.pairs).toBeGreaterThan(2);
    expect(second).toBeNull();
    expect(shown[0]).toContain('that is wrong');
  } finally {
    await server.stop();
  }
});

it('refuses to be told so where no language model is configured', async () => {
  await insertAnchors(harness.dataSource, 20);
  await expect(train(harness, request({ replyJudge: 'llm' }))).rejects.toMatchObject({ code: 'usage' });
});

it('needs no anchor to say that there is none', async () => {
  expect(await train(harness, request({}, { force: true }))).toMatchObject({ outcome: 'nothing-to-do' });
});

it('ends equal to an undisturbed run, wherever it was interrupted', async () => {
  await insertAnchors(harness.dataSource, 20);
  await insertSeedPairs(harness.dataSource, 20);
  const fromBase = request({}, { from: 'base', force: true });
  const undisturbed = await published(fromBase);
  await forgetPlan(undisturbed.run);
  const calls = harness.engine.calls;
  expect(calls).toBeGreaterThan(15);
  for (let last = 1; last <= calls; last++) {
    harness.engine.calls = 0;
    harness.engine.beforeCall = (call) => {
      if (call === last) throw new DriftError('interrupted', 'killed', { retriable: true });
    };
    await expect(train(harness, fromBase)).rejects.toThrow('killed');
    harness.engine.beforeCall = () => {};
    const resumed = await published(fromBase);
    expect(resumed.run).toBe(`r${last + 1}`);
    expect(weightsOf(resumed)).toBe(weightsOf(undisturbed));
    expect(resumed.iterations).toEqual(undisturbed.iterations);
    expect(resumed.rescored).toEqual(undisturbed.rescored);
    await forgetPlan(resumed.run);
  }
});

it('begins no run that cannot fit in memory', async () => {
  await insertAnchors(harness.dataSource, 40);
  harness.engine.checkMemory = async (_model, { batchSize }, { promptIds, chosenIds, rejectedIds }) => {
    const lengths = [promptIds, chosenIds, rejectedIds].map(({ length }) => length);
    throw new DriftError('out-of-memory', `${batchSize} pairs of ${lengths}`);
  };
  const { promptTokens, sequenceTokens, newTokens, batchSize } = request().settings;
  const longest = [Math.min(promptTokens, sequenceTokens - newTokens), newTokens];
  await expect(train(harness, request())).rejects.toMatchObject({
    code: 'out-of-memory',
    message: expect.stringContaining(`${batchSize} pairs of ${longest}`),
  });
  expect(await harness.dataSource.query('SELECT id FROM runs')).toEqual([]);
});

it('publishes nothing when the loss is not a number', async () => {
  await insertAnchors(harness.dataSource, 20);
  harness.engine.lossFactor = Number.NaN;
  await expect(train(harness, request())).rejects.toMatchObject({ code: 'training-diverged' });
  const [run] = await harness.dataSource.query<{ status: string; error: string }[]>('SELECT status, error FROM runs');
  expect(run).toMatchObject({ status: 'failed', error: expect.stringContaining('NaN') });
  expect(await harness.dataSource.query('SELECT 1 FROM policy_versions')).toEqual([]);
  harness.engine.lossFactor = 1;
  expect(await published(request())).toMatchObject({ run: 'r2', version: 'v1' });
});

it('starts anew when the files of an interrupted run are gone', async () => {
  await insertAnchors(harness.dataSource, 20);
  harness.engine.beforeCall = () => {
    if (existsSync(join(harness.config.stateDir, 'runs', 'r1', 'iteration-1')))
      throw new DriftError('interrupted', 'killed', { retriable: true });
  };
  await expect(train(harness, request())).rejects.toThrow('killed');
  harness.engine.beforeCall = () => {};
  const moved = { ...harness, config: { ...harness.config, stateDir: `${harness.config.stateDir}-new` } };
  const result = await train(moved, request());
  expect(result).toMatchObject({ outcome: 'published', run: 'r2', version: 'v1' });
  expect(harness.lines).toContainEqual(expect.stringMatching(/run r1 cannot go on.*gone/));
});

it('stops where it is when asked to, and goes on later', async () => {
  await insertAnchors(harness.dataSource, 20);
  const controller = new AbortController();
  harness.engine.beforeCall = (call) => {
    if (call === 5) controller.abort();
  };
  await expect(train({ ...harness, signal: controller.signal }, request())).rejects.toMatchObject({
    code: 'interrupted',
  });
  expect(await published(request())).toMatchObject({ run: 'r1', version: 'v1' });
});
