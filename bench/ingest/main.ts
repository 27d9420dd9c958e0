import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readShareGptCorpus } from '../../src/chat-log/sharegpt-corpus.js';
import { loadConfig } from '../../src/config/config.js';
import { requireAsset } from '../../src/stack/assets.js';
import { removeState } from '../../src/stack/postgres-account.js';
import { type Stack, startStack } from '../../src/stack/stack.js';
import { readState } from '../../src/stack/stack-state.js';
import { Worker } from '../../test/faults/workers.js';
import { type BareRate, bareRate } from './bare-rate.js';
import { type FullRate, fullRate } from './full-rate.js';
import { latencyAt } from './latency.js';
import { produce, take, turnMessages } from './load.js';
import { middleBy } from './middle-by.js';
import { Place } from './place.js';
import { whereTimeGoes } from './profile.js';
import { writeReadyRows } from './rows.js';

const GOALS = { turnsPerSecond: 3_000, bareRatio: 0.6, p99Ms: 1_000, rssGrowth: 1.25 };
/** Turns of the bare loop, and of the run that it is compared with. */
const COMPARED = 100_000;
const PROFILED = 40_000;
/** Of the service and the bare loop, in turn: a slow minute of the machine is then not all of either's time. */
const ROUNDS = 3;
/** The service has just started: it is warm when its code is compiled. */
const STEADY = { warmingSeconds: 30, windowSeconds: 15, windows: 3 };

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: String(COMPARED) },
    consumers: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const turns = Number(values.turns);
const consumers = Number(values.consumers);
if (!(turns >= COMPARED && consumers >= 1)) {
  console.error(`npm run bench:ingest -- [--turns ${COMPARED}] [--consumers 1] [--json]; at least ${COMPARED} turns`);
  process.exit(2);
}

const dir = mkdtempSync(join(tmpdir(), 'driftloop-bench-'));
chmodSync(dir, 0o755); // PostgreSQL may run as another user
const config = loadConfig({ DRIFTLOOP_CACHE: process.env.DRIFTLOOP_CACHE, DRIFTLOOP_STATE_DIR: dir });
const stack = await startStack(config, ['postgres', 'kafka']);
try {
  report(await measure(stack));
} finally {
  await stack.stop();
  removeState(dir);
}

interface Round {
  full: FullRate;
  bare: BareRate;
  ratio: number;
}

async function measure(stack: Stack) {
  const corpus = await readShareGptCorpus(requireAsset(config, 'chatLogs'));
  const postgresPid = readState(dir).servers.postgres!.pid;
  const say = (text: string, value: unknown) => console.error(text, JSON.stringify(value));
  const filled = async (name: string, count: number) => {
    const place = await Place.create(stack, name);
    await produce(stack.kafkaBrokers, place.topic, take(turnMessages(corpus, 'bench'), count));
    return place;
  };
  const workDir = (name: string) => {
    mkdirSync(join(dir, name), { recursive: true });
    return join(dir, name);
  };

  // First: the broker and the database, which have just started, are then as warm for the service as for the bare loop.
  const profiled = await filled('profiled', PROFILED);
  const profileDir = workDir('profile');
  const nodeOptions = ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
  await fullRate({ place: profiled, turns: PROFILED, dir: workDir('profiled'), postgresPid, nodeOptions });
  await profiled.close();

  const compared = [...take(turnMessages(corpus, 'bench'), COMPARED)];
  const rounds: Round[] = [];
  let files: string[] | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const ours = await filled(`ours${round}`, turns);
    const full = await fullRate({ place: ours, turns, dir: workDir(`ours${round}`), postgresPid, consumers });
    say('service:', full);
    files ??= await writeReadyRows(ours.dataSource, compared, dir);
    await ours.close();
    const barePlace = await filled(`bare${round}`, COMPARED);
    const bare = await bareRate(barePlace, COMPARED, files, postgresPid);
    await barePlace.close();
    say('bare loop:', bare);
    rounds.push({ full, bare, ratio: full.turnsPerSecond / bare.turnsPerSecond });
  }
  const full = middleBy(rounds, (round) => round.full.turnsPerSecond).full;
  const bare = middleBy(rounds, (round) => round.bare.turnsPerSecond).bare;
  const bareRatio = middleBy(rounds, (round) => round.ratio).ratio;

  const steadyAt = async (name: string, turnsPerSecond: number) => {
    const steady = await Place.create(stack, name);
    const worker = Worker.start(name, ['ingest', 'classify', 'api'], steady.env, workDir(name));
    const messages = turnMessages(corpus, name);
    const latency = await latencyAt(steady, messages, turnsPerSecond, STEADY);
    await worker.end('SIGTERM');
    await steady.close();
    return latency;
  };
  const half = await steadyAt('half', full.turnsPerSecond / 2);
  say('at half the rate:', half);
  const tenth = await steadyAt('tenth', full.turnsPerSecond / 10);
  say('at a tenth of the rate:', tenth);
  return { rounds, full, bare, bareRatio, half, tenth, time: whereTimeGoes(profileDir) };
}

function report({ rounds, full, bare, bareRatio, half, tenth, time }: Awaited<ReturnType<typeof measure>>): void {
  const flat = rounds.every((round) => round.full.rssLastMb <= round.full.rssFirstMb * GOALS.rssGrowth);
  const pass =
    full.turnsPerSecond >= GOALS.turnsPerSecond && bareRatio >= GOALS.bareRatio && half.p99Ms < GOALS.p99Ms && flat;
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  console.log('where the time of the service goes (of the time it was busy, with its start):');
  for (const [stage, share] of time.stages) console.log(`  ${percent(share).padStart(7)}  ${stage}`);
  console.log('its hottest functions:');
  for (const [name, share] of time.functions) console.log(`  ${percent(share).padStart(7)}  ${name}`);
  console.log(
    `${full.turnsPerSecond.toFixed(0)} turns/s (bare loop ${bare.turnsPerSecond.toFixed(0)}, ratio ${bareRatio.toFixed(2)}); ` +
      `CPU seconds per 100,000 turns: service ${full.cpuSecondsPer100k.toFixed(1)}, its database ${full.databaseCpuSecondsPer100k.toFixed(1)}, ` +
      `bare loop ${bare.cpuSecondsPer100k.toFixed(1)}, its database ${bare.databaseCpuSecondsPer100k.toFixed(1)}`,
  );
  console.log(
    `at half that rate p50 ${half.p50Ms.toFixed(0)} ms, p99 ${half.p99Ms.toFixed(0)} ms from produce to commit; ` +
      `RSS ${full.rssMb.toFixed(0)} MB (first quarter ${full.rssFirstMb.toFixed(0)}, last ${full.rssLastMb.toFixed(0)})`,
  );
  console.log(
    `second stage: ${full.settledPerSecond.toFixed(0)} verdicts/s; backlog ${full.backlog} after the full rate, ` +
      `at most ${half.backlog} at half, ${tenth.backlog} at a tenth of it: ${pass ? 'pass' : 'FAIL'}`,
  );
  if (values.json) {
    const { p50Ms, p99Ms } = half;
    const { turnsPerSecond, rssMb } = full;
    console.log(
      JSON.stringify({
        turnsPerSecond,
        bareRatio,
        p50Ms,
        p99Ms,
        rssMb,
        pass,
        turns,
        consumers,
        rounds,
        full,
        bare,
        half,
        tenth,
      }),
    );
  }
  process.exitCode = pass ? 0 : 1;
}
