import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import type { Comparison } from '../../src/policy/compare-versions.js';
import type { TrainSummary } from '../../src/training/summary.js';
import { writeTinyModel } from '../factories/tiny-model.js';
import { insertAnchors, insertSeedPairs, readEvents } from '../medium/training-harness.js';
import { createTestDatabase, createTestTopics, type TestDatabase, testConfig, testEnv } from '../stack.js';
import { MAIN } from './serve-process.js';

const ARGS = [
  '--anchors',
  '8',
  '--held-out-anchors',
  '4',
  '--new-tokens',
  '24',
  '--sequence-tokens',
  '408',
  '--learning-rate',
  '0.01',
];
const dir = mkdtempSync(join(tmpdir(), 'driftloop-train-'));
const modelDir = join(dir, 'tiny');
const databases: TestDatabase[] = [];

beforeAll(() => writeTinyModel(modelDir));
afterAll(async () => {
  await Promise.all(databases.map((database) => database.drop()));
  rmSync(dir, { recursive: true, force: true });
});

/** A database with the same anchors each time. */
async function place(name: string, anchors = 30) {
  const database = await createTestDatabase();
  databases.push(database);
  const dataSource = await createDataSource(database.url, 2).initialize();
  await insertAnchors(dataSource, anchors);
  await insertSeedPairs(dataSource, anchors);
  await dataSource.destroy();
  const stateDir = join(dir, name);
  const topics = await createTestTopics();
  const env = { ...process.env, ...testEnv(database, topics, stateDir), DRIFTLOOP_MODEL: modelDir };
  return { env, config: testConfig(database, topics, stateDir) };
}
type Place = Awaited<ReturnType<typeof place>>;

interface Training {
  child: ChildProcess;
  stdout: string[];
  stderr: string[];
  code: Promise<number | null>;
}

function start(
  { env }: Place,
  args: string[] = [],
  onLine: (line: string, child: ChildProcess) => void = () => {},
): Training {
  const child = spawn(process.execPath, [MAIN, 'train', '--preset', 'quick', ...ARGS, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const out = createInterface({ input: child.stdout }).on('line', (line) => stdout.push(line));
  createInterface({ input: child.stderr }).on('line', (line) => {
    stderr.push(line);
    onLine(line, child);
  });
  const code = Promise.all([once(child, 'exit'), once(out, 'close')]).then(([[status]]) => status as number | null);
  return { child, stdout, stderr, code };
}

async function finish(at: Place, args: string[] = []): Promise<TrainSummary> {
  const training = start(at, [...args, '--json']);
  expect(await training.code, training.stderr.join('\n')).toBe(0);
  return JSON.parse(training.stdout.at(-1)!);
}

const weightsOf = ({ uri }: TrainSummary) =>
  createHash('sha256')
    .update(readFileSync(join(fileURLToPath(uri), 'model.safetensors')))
    .digest('hex');

it('is killed in every stage and ends with the weights of an undisturbed run', async () => {
  const undisturbed = await finish(await place('undisturbed'));
  expect(undisturbed).toMatchObject({ run: 'r1', version: 'v1', warmStart: { status: 'done' } });
  expect(weightsOf(undisturbed)).not.toBe(
    createHash('sha256')
      .update(readFileSync(join(modelDir, 'model.safetensors')))
      .digest('hex'),
  );

  const disturbed = await place('disturbed');
  const moments = [
    /^sample the held-out chosen …/,
    /^score the held-out pairs …/,
    /^ {2}step 2\/2/,
    /^iteration 1 of 2: sample …/,
    /^iteration 1 of 2: pair …/,
    /^ {2}step 1\/2/,
    /^iteration 1 of 2: evaluate …/,
    /^iteration 2 of 2: train …/,
    /^iteration 2 of 2: evaluate …/,
    /^publish …/,
  ];
  for (const moment of moments) {
    const { child, code, stderr } = start(
      disturbed,
      [],
      (line, process) => moment.test(line) && process.kill('SIGKILL'),
    );
    await code;
    expect(child.signalCode, `no line like ${moment}:\n${stderr.join('\n')}`).toBe('SIGKILL');
  }
  const resumed = await finish(disturbed);
  expect(resumed).toMatchObject({ run: 'r1', version: 'v1' });
  expect(weightsOf(resumed)).toBe(weightsOf(undisturbed));
  expect(resumed.iterations).toEqual(undisturbed.iterations);
  expect(resumed.rescored).toEqual(undisturbed.rescored);
  const events = await readEvents({ kafka: inject('stack'), config: disturbed.config });
  expect(events.map(({ version }) => version)).toEqual(['v1']);
});

it('says by its exit code that it was used wrongly, that another trainer is at work, that there is nothing to do; then compares', async () => {
  const here = await place('codes');
  const wrong = start(here, ['--iterations', '0']);
  expect([await wrong.code, wrong.stderr.join('\n')]).toEqual([2, expect.stringContaining('iterations')]);
  const unknown = start(here, ['--no-such-option']);
  expect(await unknown.code).toBe(2);

  // Long enough for the next one to meet it.
  let first: Training | undefined;
  await new Promise<void>((resolve) => {
    first = start(here, ['--json', '--iterations', '16'], (line) => line.startsWith('plan:') && resolve());
  });
  const refused = start(here);
  expect([await refused.code, refused.stderr.join('\n')]).toEqual([
    1,
    expect.stringContaining(`process ${first?.child.pid} on`),
  ]);
  expect(await first?.code).toBe(0);

  const again = start(here);
  expect([await again.code, again.stdout.join('\n')]).toEqual([3, expect.stringContaining('--force')]);

  const compare = spawn(process.execPath, [MAIN, 'policies', 'compare', 'base', 'v1', '--anchors', '2', '--json'], {
    env: here.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: Comparison[] = [];
  for await (const line of createInterface({ input: compare.stdout })) lines.push(JSON.parse(line));
  expect(lines).toHaveLength(2);
  for (const { feedback, replies } of lines) {
    expect(feedback).toBe('that is wrong');
    expect(replies).toEqual([
      { version: 'base', reply: expect.any(String) },
      { version: 'v1', reply: expect.any(String) },
    ]);
  }
});

it('trains an adapter, and goes on from it with the same rank only', async () => {
  const here = await place('adapter');
  const lora = ['--lora-rank', '4', '--lora-dropout', '0.05', '--iterations', '1'];
  const first = await finish(here, lora);
  expect(first.rescored.marginMean).toBeGreaterThan(0);
  const files = readdirSync(fileURLToPath(first.uri));
  expect(files).toEqual(expect.arrayContaining(['adapter_config.json', 'adapter_model.safetensors', 'manifest.json']));
  expect(files).not.toContain('model.safetensors');
  const full = start(here, ['--force']);
  expect([await full.code, full.stderr.join('\n')]).toEqual([2, expect.stringContaining('--lora-rank 4')]);
  const second = await finish(here, [...lora, '--force']);
  expect(second).toMatchObject({ version: 'v2', parent: 'v1' });
  const events = await readEvents({ kafka: inject('stack'), config: here.config });
  expect(events.map(({ version, kind, parent }) => [version, kind, parent])).toEqual([
    ['v1', 'adapter', null],
    ['v2', 'adapter', 'v1'],
  ]);
});
