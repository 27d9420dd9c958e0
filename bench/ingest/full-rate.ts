import { setTimeout as sleep } from 'node:timers/promises';
import type { Role } from '../../src/config/config.js';
import { Worker } from '../../test/faults/workers.js';
import type { Place } from './place.js';
import { cpuSeconds, rssMb } from './usage.js';

const POLL_MS = 100;
/** How long the second stage is watched. */
const SETTLING_SECONDS = 30;

export interface Rate {
  turnsPerSecond: number;
  seconds: number;
}

export interface FullRate extends Rate {
  /** Of the service, for 100,000 turns. */
  cpuSecondsPer100k: number;
  databaseCpuSecondsPer100k: number;
  rssMb: number;
  /** The largest while the first, and while the last quarter of the turns was stored. */
  rssFirstMb: number;
  rssLastMb: number;
  /** Verdicts that waited for the second stage when the last turn was stored. */
  backlog: number;
  /** Verdicts that it settles in a second when nothing else is to be done. */
  settledPerSecond: number;
}

export interface FullRateOptions {
  place: Place;
  /** What the topic holds. */
  turns: number;
  dir: string;
  postgresPid: number;
  consumers?: number;
  roles?: Role[];
  nodeOptions?: string[];
}

/** Starts the service on a topic that is full already, and measures from its first transaction to its last. */
export async function fullRate({
  place,
  turns,
  dir,
  postgresPid,
  consumers = 1,
  ...options
}: FullRateOptions): Promise<FullRate> {
  const roles = options.roles ?? ['ingest', 'classify', 'api'];
  const workers = Array.from({ length: consumers }, (_, index) =>
    Worker.start(`serve-${index}`, roles, place.env, dir, options.nodeOptions),
  );
  const usage = () => ({
    at: performance.now(),
    cpu: workers.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0),
    database: cpuSeconds(postgresPid, true),
  });
  const rss: { stored: number; mb: number }[] = [];
  const sample = async () => {
    const stored = await place.stored();
    rss.push({ stored, mb: Math.max(...workers.map(({ pid }) => rssMb(pid))) });
    return stored;
  };
  let first = await sample();
  for (; first === 0; first = await sample()) await sleep(POLL_MS);
  const began = usage();
  while ((await sample()) < turns) await sleep(POLL_MS);
  const ended = usage();
  const backlog = await place.backlog();
  const settledPerSecond = roles.includes('classify') ? await settlingRate(place) : 0;
  await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
  const seconds = (ended.at - began.at) / 1_000;
  const per100k = 100_000 / (turns - first);
  const largest = (from: number, to: number) =>
    Math.max(...rss.filter(({ stored }) => stored >= from * turns && stored <= to * turns).map(({ mb }) => mb));
  return {
    turnsPerSecond: (turns - first) / seconds,
    seconds,
    cpuSecondsPer100k: (ended.cpu - began.cpu) * per100k,
    databaseCpuSecondsPer100k: (ended.database - began.database) * per100k,
    rssMb: largest(0, 1),
    rssFirstMb: largest(0, 0.25),
    rssLastMb: largest(0.75, 1),
    backlog,
    settledPerSecond,
  };
}

/** Verdicts that the second stage settles in a second; all of the backlog would take minutes. */
async function settlingRate(place: Place): Promise<number> {
  const [before, from] = [await place.backlog(), performance.now()];
  const seconds = () => (performance.now() - from) / 1_000;
  let left = before;
  for (; left > 0 && seconds() < SETTLING_SECONDS; left = await place.backlog()) await sleep(POLL_MS);
  return (before - left) / seconds();
}
