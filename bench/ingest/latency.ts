import { setTimeout as sleep } from 'node:timers/promises';
import { Partitioners } from 'kafkajs';
import { createKafka } from '../../src/kafka/kafka-client.js';
import type { TurnMessage } from './load.js';
import type { Place } from './place.js';

const TICK_MS = 20;

export interface Latency {
  p50Ms: number;
  p99Ms: number;
  /** The most verdicts that waited for the second stage at once. */
  backlog: number;
  turns: number;
}

/**
 * Produces at a steady rate, and measures from the call that produces a turn to when its commit is seen, which is looked
 * for every few milliseconds: so the figures are rather too high. The service runs already.
 */
export async function latencyAt(
  place: Place,
  messages: Iterator<TurnMessage>,
  turnsPerSecond: number,
  seconds: number,
): Promise<Latency> {
  const producer = createKafka({ kafkaBrokers: place.env.KAFKA_BROKERS!.split(',') }, { clientId: 'bench' }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const base = await place.offsets();
  const sentAt = new Map<number, number[]>(); // by partition, in the order of offsets
  const latencies: number[] = [];
  const seen = new Map<number, number>();
  const total = Math.floor(turnsPerSecond * seconds);
  const watching = watch(
    place,
    () => latencies.length === total,
    (partition, next) => {
      const now = performance.now();
      const times = sentAt.get(partition) ?? [];
      const from = seen.get(partition) ?? 0;
      const to = next - (base.get(partition) ?? 0);
      for (const time of times.slice(from, to)) latencies.push(now - time);
      seen.set(partition, Math.max(from, to));
    },
  );
  const startedAt = performance.now();
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1_000) * turnsPerSecond));
    const request: TurnMessage[] = [];
    for (; sent < due; sent++) {
      const message = messages.next().value as TurnMessage;
      request.push(message);
      if (!sentAt.has(message.partition)) sentAt.set(message.partition, []);
      sentAt.get(message.partition)!.push(performance.now());
    }
    if (request.length > 0) await producer.send({ topic: place.topic, acks: -1, messages: request });
    await sleep(TICK_MS);
  }
  const backlog = await watching;
  await producer.disconnect();
  latencies.sort((a, b) => a - b);
  const quantile = (share: number) => latencies[Math.min(total - 1, Math.floor(share * total))]!;
  return { p50Ms: quantile(0.5), p99Ms: quantile(0.99), backlog, turns: total };
}

async function watch(
  place: Place,
  done: () => boolean,
  see: (partition: number, next: number) => void,
): Promise<number> {
  let backlog = 0;
  for (let tick = 0; !done(); tick++) {
    for (const [partition, next] of await place.offsets()) see(partition, next);
    if (tick % 25 === 0) backlog = Math.max(backlog, await place.backlog());
    await sleep(TICK_MS);
  }
  return backlog;
}
