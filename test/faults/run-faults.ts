import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Message } from 'kafkajs';
import { loadConfig } from '../../src/config/config.js';
import { seededRandom } from '../../src/model/random.js';
import { requireAsset } from '../../src/stack/assets.js';
import { removeState } from '../../src/stack/postgres-account.js';
import { type Comparison, compare } from './compare.js';
import { FAULTS, until } from './faults.js';
import { CLASSIFIERS, CONSUMERS, Fleet } from './fleet.js';
import { Place } from './place.js';
import { type FaultKind, type PlannedFault, planFaults } from './plan.js';
import { atWrongTimes, poison, realTurns } from './records.js';
import { Servers } from './servers.js';
import { SmallDisk } from './small-disk.js';
import { type FaultOutcome, forbiddenCrashes } from './verdict.js';
import type { Crash } from './workers.js';

export interface FaultOptions {
  turns: number;
  faults: number;
  seed: number;
  /** Directory for logs and data, kept; a temporary one is removed. */
  keep?: string;
}

export interface FaultsReport extends Comparison {
  turns: number;
  records: number;
  faults: FaultOutcome[];
  /** Processes that ended without being told to after the last fault, and in the undisturbed run. */
  lateCrashes: Crash[];
}

/** Kinds that need much to do: pages that are there may hold some of what a full disk has no room for, and a backlog is soon gone. */
const AT_ONCE: ReadonlySet<FaultKind> = new Set(['disk-full', 'classifier-killed']);

/** What the system has to take up work in after a fault. */
const RECOVERY_MS = 120_000;
/** Records and verdicts that are stored and settled in that time at the least. */
const PROGRESS = 500;
/** Asking takes a connection to each server, and so the processor from those who work. */
const ASK_MS = { stored: 200, settled: 1_000 };

const startedAt = performance.now();
const say = (text: string) => console.error(`[${((performance.now() - startedAt) / 1_000).toFixed(1)} s] ${text}`);

/** Sends the same records to two places, one undisturbed and one under faults, and compares what is stored. */
export async function runFaults(options: FaultOptions): Promise<FaultsReport> {
  const stateDir = options.keep ?? mkdtempSync(join(tmpdir(), 'driftloop-faults-'));
  chmodSync(stateDir, 0o755); // PostgreSQL may run as another user
  const config = loadConfig({ DRIFTLOOP_CACHE: process.env.DRIFTLOOP_CACHE, DRIFTLOOP_STATE_DIR: stateDir });
  const servers = new Servers(config);
  const disk = SmallDisk.mount(stateDir);
  const fleets: Fleet[] = [];
  const leaveNothing = () => {
    disk?.unmount();
    if (!options.keep) removeState(stateDir);
  };
  const onExit = () => {
    servers.kill();
    leaveNothing();
  };
  process.once('exit', onExit);
  try {
    await servers.start();
    const parts = await planParts(requireAsset(config, 'chatLogs'), options);
    const expected = await Place.create(servers, 'undisturbed');
    const actual = await Place.create(servers, 'disturbed', disk?.directory);
    const undisturbed = await runUndisturbed(expected, parts, join(stateDir, 'undisturbed'), fleets);
    const { faults, lateCrashes } = await runDisturbed(
      servers,
      actual,
      parts,
      join(stateDir, 'disturbed'),
      fleets,
      disk,
    );
    const comparison = await compare(expected, actual);
    await Promise.all([expected.close(), actual.close()]);
    return {
      turns: options.turns,
      records: parts.flatMap(({ records }) => records).length,
      faults,
      lateCrashes: [...undisturbed, ...lateCrashes],
      ...comparison,
    };
  } finally {
    await Promise.all(fleets.map((fleet) => fleet.stop()));
    await servers.stop();
    process.off('exit', onExit);
    leaveNothing();
  }
}

/** A fault, and the part of the stream that it strikes in. */
interface Part {
  fault: PlannedFault;
  records: Message[];
}

async function planParts(chatLogs: string, { turns, faults, seed }: FaultOptions): Promise<Part[]> {
  const records = await realTurns(chatLogs, turns);
  const now = Date.now();
  return planFaults(faults, seed).map((fault, index) => {
    const part = records.slice(Math.floor((index * turns) / faults), Math.floor(((index + 1) * turns) / faults));
    return { fault, records: withFaultsOfRecords(part, fault, now) };
  });
}

function withFaultsOfRecords(records: Message[], { kind, at, seed }: PlannedFault, now: number): Message[] {
  if (kind === 'clock-jump') return atWrongTimes(records, seed, now);
  if (kind === 'poison') return records.toSpliced(Math.floor(at * records.length), 0, ...poison(seed));
  return records;
}

async function runUndisturbed(place: Place, parts: Part[], dir: string, fleets: Fleet[]): Promise<Crash[]> {
  const fleet = new Fleet(place.env, dir);
  fleets.push(fleet);
  fleet.addConsumer();
  for (let classifier = 0; classifier < CLASSIFIERS; classifier++) fleet.addClassifier();
  for (const { records } of parts) await place.send(records);
  await settled(place);
  await fleet.stop();
  say(`undisturbed: ${await place.storedRecords()} records stored`);
  return fleet.crashes;
}

async function runDisturbed(
  servers: Servers,
  place: Place,
  parts: Part[],
  dir: string,
  fleets: Fleet[],
  disk?: SmallDisk,
): Promise<Pick<FaultsReport, 'faults' | 'lateCrashes'>> {
  const fleet = new Fleet(place.env, dir);
  fleets.push(fleet);
  for (let consumer = 0; consumer < CONSUMERS.least; consumer++) fleet.addConsumer();
  for (let classifier = 0; classifier < CLASSIFIERS; classifier++) fleet.addClassifier();
  const faults: FaultOutcome[] = [];
  const seen = new Set<Crash>();
  const newCrashes = () => fleet.crashes.filter((crash) => !seen.has(crash) && seen.add(crash));
  for (const [index, { fault, records }] of parts.entries()) {
    const began = performance.now();
    const struck = await strike({ servers, place, fleet, disk }, fault, records);
    const crashes = newCrashes();
    const outcome = afterCrashes(fault, struck, crashes);
    const seconds = Math.round(performance.now() - began) / 1_000;
    faults.push({ ...fault, ...outcome, seconds, crashes });
    say(`${index + 1}/${parts.length} ${fault.kind}: ${outcome.outcome}; ${outcome.what}`);
  }
  await settled(place);
  await fleet.stop();
  return { faults, lateCrashes: newCrashes() };
}

type Struck = Pick<FaultOutcome, 'outcome' | 'what'>;

function afterCrashes({ kind }: PlannedFault, struck: Struck, crashes: readonly Crash[]): Struck {
  const told = crashes.map(({ worker, wasUp, what }) => `${worker}, ${wasUp ? 'up' : 'starting'}, ${what}`);
  const what = [struck.what, ...told].join('; ');
  return forbiddenCrashes(kind, crashes).length > 0 ? { outcome: 'not survived', what } : { ...struck, what };
}

interface Stage {
  servers: Servers;
  place: Place;
  fleet: Fleet;
  disk?: SmallDisk;
}

/** Sends the first part of the records, strikes while they are stored, and waits until all are. */
async function strike(stage: Stage, { kind, at, seed }: PlannedFault, records: Message[]): Promise<Struck> {
  const { place } = stage;
  if (kind === 'disk-full' && !stage.disk) {
    await place.send(records);
    return { outcome: 'not run', what: 'neither root nor a user namespace may mount a file system here' };
  }
  const half = AT_ONCE.has(kind) ? 0 : records.length >> 1;
  const before = await place.storedRecords();
  await place.send(records.slice(0, half));
  await until(async () => (await place.storedRecords()) >= before + at * half * 0.8, RECOVERY_MS);
  const rest = records.slice(half);
  const wanted = place.total + rest.length;
  let what = '';
  try {
    what = await FAULTS[kind]({ ...stage, random: seededRandom(seed), rest });
    await until(async () => (await place.behind()) === 0, RECOVERY_MS, ASK_MS.stored);
    return { outcome: 'survived', what };
  } catch (error) {
    const left = await place.behind().catch(() => 'nobody knows how many');
    if (place.total < wanted) await place.send(rest);
    return { outcome: 'not survived', what: `${what} ${String(error)}, ${left} records not stored` };
  }
}

/** Waits until nothing is left to do, as long as there is progress. */
async function settled(place: Place): Promise<void> {
  const count = async () => (await place.behind()) + (await place.provisional());
  for (let left = await count(); left > 0; left = await count()) {
    say(`${left} records and verdicts wait`);
    const next = Math.max(0, left - PROGRESS);
    await until(async () => (await count()) <= next, RECOVERY_MS, ASK_MS.settled);
  }
}
