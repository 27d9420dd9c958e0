import { setTimeout as sleep } from 'node:timers/promises';
import { withProducer } from '../../src/kafka/kafka-client.js';
import { type TurnMessage, take } from './load.js';
import { middleBy } from './middle-by.js';
import type { Place } from './place.js';

const TICK_MS = 20;
/** How often the backlog is counted, in ticks. */
const BACKLOG_TICKS = 25;
/** When nothing was committed for so long, no more is to be expected. */
const PATIENCE_MS = 60_000;

export interface Latency {
  /** Of the windows' the median, like the other. */
  p50Ms: number;
  p99Ms: number;
  windows: Quantiles[];
  /** The most verdicts that waited for the second stage at once. */
  backlog: number;
}

interface Quantiles {
  p50Ms: number;
  p99Ms: number;
  turns: number;
}

/** When the turns of each partition were sent that are not seen committed yet, in the order of offsets. */
type Sent = Map<number, number[]>;

interface Committed {
  sentAt: number;
  latencyMs: number;
}

/**
 * Produces at a steady rate, and measures from when a turn is due, also where the producer is held up, to when its commit
 * is seen, which is looked for every few milliseconds: so the figures are rather too high. The service runs already; turns of the first
 * `warmingSeconds` are produced like those of the windows after them, and not counted.
 * @throws Error when no turn was committed for a minute
 */
export async function latencyAt(
  place: Place,
  messages: Iterator<TurnMessage>,
  turnsPerSecond: number,
  { warmingSeconds, windowSeconds, windows }: { warmingSeconds: number; windowSeconds: number; windows: number },
): Promise<Latency> {
  const turns = Math.floor(turnsPerSecond * (warmingSeconds + windowSeconds * windows));
  const ready = [...take(messages, turns)];
  const sent: Sent = new Map();
  const watching = watchCommits(place, await place.offsets(), sent, turns);
  let startedAt = 0;
  const producing = withProducer({ kafkaBrokers: place.env.KAFKA_BROKERS!.split(',') }, async (producer) => {
    startedAt = performance.now();
    let taken = 0;
    for await (const request of paced(ready, turnsPerSecond)) {
      for (const { partition } of request) {
        timesOf(sent, partition).push(startedAt + (taken++ / turnsPerSecond) * 1_000);
      }
      await producer.send({ topic: place.topic, acks: -1, messages: request });
    }
  });
  const [{ commits, backlog }] = await Promise.all([watching, producing]);
  const windowOf = ({ sentAt }: Committed) =>
    Math.floor(((sentAt - startedAt) / 1_000 - warmingSeconds) / windowSeconds);
  const measured = Array.from({ length: windows }, (_, window) =>
    quantilesOf(commits.filter((commit) => windowOf(commit) === window)),
  );
  const median = (of: keyof Quantiles) => middleBy(measured, (window) => window[of])[of];
  return { p50Ms: median('p50Ms'), p99Ms: median('p99Ms'), windows: measured, backlog };
}

function quantilesOf(commits: Committed[]): Quantiles {
  const latencies = commits.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const quantile = (share: number) => latencies[Math.floor(share * latencies.length)]!;
  return { p50Ms: quantile(0.5), p99Ms: quantile(0.99), turns: latencies.length };
}

/** What is due by now, every few milliseconds. */
async function* paced(messages: Iterable<TurnMessage>, turnsPerSecond: number): AsyncGenerator<TurnMessage[]> {
  const startedAt = performance.now();
  const secondsGone = () => (performance.now() - startedAt) / 1_000;
  let request: TurnMessage[] = [];
  let taken = 0;
  for (const message of messages) {
    while (taken >= secondsGone() * turnsPerSecond) {
      if (request.length > 0) yield request;
      request = [];
      await sleep(TICK_MS);
    }
    request.push(message);
    taken++;
  }
  yield request;
}

async function watchCommits(
  place: Place,
  base: Map<number, number>,
  sent: Sent,
  turns: number,
): Promise<{ commits: Committed[]; backlog: number }> {
  const commits: Committed[] = [];
  let backlog = 0;
  let lastAt = performance.now();
  for (let tick = 0; commits.length < turns; tick++) {
    const offsets = await place.offsets();
    const now = performance.now();
    for (const [partition, next] of offsets) {
      const committed = timesOf(sent, partition).splice(0, next - (base.get(partition) ?? 0));
      if (committed.length > 0) lastAt = now;
      for (const sentAt of committed) commits.push({ sentAt, latencyMs: now - sentAt });
      base.set(partition, next);
    }
    if (now - lastAt > PATIENCE_MS)
      throw new Error(`Nothing was committed for a minute, after ${commits.length} of ${turns} turns.`);
    if (tick % BACKLOG_TICKS === 0) backlog = Math.max(backlog, await place.backlog());
    await sleep(TICK_MS);
  }
  return { commits, backlog };
}

function timesOf(sent: Sent, partition: number): number[] {
  const times = sent.get(partition) ?? [];
  sent.set(partition, times);
  return times;
}
