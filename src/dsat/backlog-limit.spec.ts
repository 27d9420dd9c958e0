import { expect, it } from 'vitest';
import { BacklogLimit } from './backlog-limit.js';
import { StreamLag } from './stream-lag.js';

const never = new AbortController().signal;

it('asks how many wait at most once a second', async () => {
  let asked = 0;
  const count = async () => {
    asked++;
    return 5;
  };
  const backlog = new BacklogLimit({ limit: 10, count, lag: new StreamLag() });
  await Promise.all([backlog.room(never), backlog.room(never)]);
  await backlog.room(never);
  expect(asked).toBe(1);
});

it('holds until a tenth of the limit is free, and says so to the second stage', async () => {
  const lag = new StreamLag();
  lag.set(0, 1_000_000);
  const counts = [10, 10, 9];
  const behind: boolean[] = [];
  const count = async () => {
    behind.push(lag.isBehind);
    return counts[behind.length - 1]!;
  };
  await new BacklogLimit({ limit: 10, count, lag }).room(never);
  expect(behind).toEqual([true, false, false]);
  expect(lag.isBehind).toBe(true);
});

it('ends with the signal', async () => {
  const stop = new AbortController();
  const held = new BacklogLimit({ limit: 1, count: async () => 1, lag: new StreamLag() }).room(stop.signal);
  stop.abort();
  await expect(held).rejects.toMatchObject({ name: 'AbortError' });
});
