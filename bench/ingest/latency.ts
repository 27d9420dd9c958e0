import { setTimeout as sleep } from 'node:timers/promises';
import { withProducer } from '../../src/kafka/kafka-client.js';
import { type TurnMessage, take } from './load.js';
import type { Place } from './place.js';

const TICK_MS = 20;
/** How often the backlog is counted, in ticks. */
const BACKLOG_TICKS = 25;
/** When nothing was committed for so long, no more is to be expected. */
const PATIENCE_MS = 60_000;

export interface Latency {
  p50Ms: number;
  p99Ms: number;
  /** The most verdicts that waited for the second stage at once. */
  backlog: number;
  turns: number;
}

/** When the turns of each partition were sent that are not seen committed yet, in the order of offsets. */
type Sent = Map<number, number[]>;

/**
 * Produces at a steady rate, and measures from the call that produces a turn to when its commit is seen, which is looked
 * for every few milliseconds: so the figures are rather too high. The service runs already.
 * @throws Error when no turn was committed for a minute
 */
export async function latencyAt(
  place: Place,
  messages: Iterator<TurnMessage>,
  turnsPerSecond: number,
  seconds: number,
): Promise<Latency> {
  const turns = Math.floor(turnsPerSecond * seconds);
  const ready = [...take(messages, turns)];
  const sent: Sent = new Map();
  const watching = watchCommits(place, await place.offsets(), sent, turns);
  const producing = withProducer({ kafkaBrokers: place.env.KAFKA_BROKERS!.split(',') }, async (producer) => {
    for await (const request of paced(ready, turnsPerSecond)) {
      for (const { partition } of request) timesOf(sent, partition).push(performance.now());
      await producer.send({ topic: place.topic, acks: -1, messages: request });
    }
  });
  const [{ latencies, backlog }] = await Promise.all([watching, producing]);
  latencies.sort((a, b) => a - b);
  const quantile = (share: number) => latencies[Math.floor(share * turns)]!;
  return { p50Ms: quantile(0.5), p99Ms: quantile(0.99), backlog, turns };
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
): Promise<{ latencies: number[]; backlog: number }> {
  const latencies: number[] = [];
  let backlog = 0;
  let lastAt = performance.now();
  for (let tick = 0; latencies.length < turns; tick++) {
    const offsets = await place.offsets();
    const now = performance.now();
    for (const [partition, next] of offsets) {
      const committed = timesOf(sent, partition).splice(0, next - (base.get(partition) ?? 0));
      if (committed.length > 0) lastAt = now;
      for (const at of committed) latencies.push(now - at);
      base.set(partition, next);
    }
    if (now - lastAt > PATIENCE_MS)
      throw new Error(`Nothing was committed for a minute, after ${latencies.length} of ${turns} turns.`);
    if (tick % BACKLOG_TICKS === 0) backlog = Math.max(backlog, await place.backlog());
    await sleep(TICK_MS);
  }
  return { latencies, backlog };
}

function timesOf(sent: Sent, partition: number): number[] {
  const times = sent.get(partition) ?? [];
  sent.set(partition, times);
  return times;
}
