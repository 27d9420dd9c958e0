import { setTimeout as sleep } from 'node:timers/promises';
import type { Message } from 'kafkajs';
import { CLASSIFIERS, CONSUMERS, type Fleet } from './fleet.js';
import type { Place } from './place.js';
import type { FaultKind } from './plan.js';
import type { Servers } from './servers.js';
import type { SmallDisk } from './small-disk.js';
import type { Worker } from './workers.js';

/** What a fault strikes. */
export interface Scene {
  servers: Servers;
  place: Place;
  fleet: Fleet;
  disk?: SmallDisk;
  random: () => number;
  /** The records of its part of the stream that were not sent before it. */
  rest: Message[];
}

/** Strikes, sends `rest`, and ends the fault where it is one that ends. Resolves to what it did. */
export type Fault = (scene: Scene) => Promise<string>;

/** How long an outage takes. */
const outage = (random: () => number) => sleep(500 + random() * 2_500);
const oneOf = <T>(items: T[], random: () => number): T => items[Math.floor(random() * items.length)]!;

export const FAULTS: Record<FaultKind, Fault> = {
  'consumer-killed': async ({ fleet, place, random, rest }) => {
    const victim = oneOf(fleet.consumers, random);
    await fleet.end(victim, 'SIGKILL');
    fleet.addConsumer();
    await place.send(rest);
    return `kill -9 of ${victim.name}`;
  },

  'classifier-killed': async ({ fleet, place, random, rest }) => {
    // Nobody settles anything meanwhile, so that there is a backlog.
    await Promise.all([...fleet.classifiers].map((classifier) => fleet.end(classifier, 'SIGTERM')));
    await place.send(rest);
    await until(async () => (await place.behind()) === 0, 60_000);
    const waiting = await place.provisional();
    const victim = fleet.addClassifier();
    await until(async () => (await place.provisional()) < waiting, 60_000);
    await sleep(random() * 20);
    await fleet.end(victim, 'SIGKILL');
    const left = await place.provisional();
    for (let classifier = 0; classifier < CLASSIFIERS; classifier++) fleet.addClassifier();
    if (left === 0) throw new Error(`none of ${waiting} verdicts waited any more when it was killed`);
    return `kill -9 of ${victim.name}, ${left} of ${waiting} verdicts waiting`;
  },

  'consumer-joins': async ({ fleet, place, random, rest }) => {
    if (fleet.consumers.length >= CONSUMERS.most) await fleet.end(oneOf(fleet.consumers, random), 'SIGKILL');
    fleet.addConsumer();
    await place.send(rest);
    return `${fleet.consumers.length} consumers now`;
  },

  'consumer-leaves': async ({ fleet, place, random, rest }) => {
    const leaving = oneOf(fleet.consumers, random);
    // One that has only begun to start knows no SIGTERM yet, and holds nothing.
    await until(() => leaving.isUp, 60_000);
    if (fleet.consumers.length <= CONSUMERS.least) fleet.addConsumer();
    const sending = place.send(rest);
    const left = await fleet.end(leaving, 'SIGTERM');
    await sending;
    if (left.code !== 0) throw new Error(`a consumer ended with ${left.code ?? left.signal} on SIGTERM`);
    return `${fleet.consumers.length} consumers now`;
  },

  'broker-restarted': async ({ servers, place, random, rest }) => {
    const signal = random() < 0.5 ? 'SIGTERM' : 'SIGKILL';
    await servers.kafka.stop(signal);
    const sending = place.send(rest);
    await outage(random);
    await servers.kafka.start();
    await sending;
    return `by ${signal}`;
  },

  'postgres-restarted': async ({ servers, place, random, rest }) => {
    const sending = place.send(rest);
    await servers.postgres.stop('SIGINT');
    await outage(random);
    await servers.postgres.start();
    await sending;
    return 'fast shutdown';
  },

  'postgres-crashed': async ({ servers, place, random, rest }) => {
    const signal = random() < 0.5 ? 'SIGQUIT' : 'SIGKILL';
    const sending = place.send(rest);
    await servers.postgres.stop(signal);
    await outage(random);
    await servers.postgres.start();
    await sending;
    return `by ${signal}`;
  },

  'connections-cut': async ({ place, random, rest }) => {
    const sending = place.send(rest);
    const cuts = 1 + Math.floor(random() * 3);
    let backends = 0;
    for (let cut = 0; cut < cuts; cut++) backends += await cutTransactions(place);
    await sending;
    return `${backends} connections, each in a transaction`;
  },

  'disk-full': async ({ servers, place, disk, random, rest }) => {
    const refused = () => servers.postgresLog().split('No space left on device').length - 1;
    const before = refused();
    disk!.fill(Math.floor(random() * 64));
    const sending = place.send(rest);
    try {
      await until(() => refused() > before, 30_000);
      await outage(random);
    } finally {
      disk!.empty();
    }
    await sending;
    return `${refused() - before} refusals by PostgreSQL`;
  },

  poison: async ({ place, rest }) => {
    await place.send(rest);
    return 'among the others';
  },

  'topic-remade': async ({ place, fleet, random, rest }) => {
    await until(async () => (await place.behind()) === 0, 120_000);
    // Longer than the stored offsets before anybody can see it, or shorter.
    const longer = random() < 0.6;
    const records = longer ? [...rest, ...place.sent] : rest;
    await whileStopped(longer ? fleet.consumers : [], () => place.remakeTopic(records));
    return longer ? `longer, with ${place.sent.length} records` : `shorter, with ${place.sent.length} records`;
  },

  'clock-jump': async ({ place, fleet, random, rest }) => {
    const hours = Math.round((random() - 0.5) * 20_000) / 10;
    fleet.setClocks(hours * 3_600_000);
    await place.send(rest);
    await outage(random);
    fleet.setClocks(0);
    return `by ${hours} hours and back, and records at wrong times`;
  },
};

/** They go on afterwards in any case, those that still are there. */
async function whileStopped<T>(workers: Worker[], use: () => Promise<T>): Promise<T> {
  for (const worker of workers) worker.signal('SIGSTOP');
  try {
    return await use();
  } finally {
    for (const worker of workers) worker.signal('SIGCONT');
  }
}

/** Cuts what is in a transaction at some moment, and says how many that were. */
async function cutTransactions(place: Place): Promise<number> {
  let cut = 0;
  await until(async () => {
    const rows = await place.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'driftloop' AND xact_start < now()
         AND query NOT LIKE '%pg_stat%'`,
    );
    cut = rows.length;
    return cut > 0;
  }, 20_000);
  return cut;
}

/** What cannot be asked now is not done. */
export async function until(done: () => boolean | Promise<boolean>, timeoutMs: number, everyMs = 50): Promise<void> {
  const end = performance.now() + timeoutMs;
  let failure: unknown;
  const isDone = async () => done();
  const failed = (error: unknown) => {
    failure = error;
    return false;
  };
  while (!(await isDone().catch(failed))) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs / 1_000} s${failure ? `: ${failure}` : ''}`);
    await sleep(everyMs);
  }
}
