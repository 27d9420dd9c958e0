import { describe, expect, it } from 'vitest';
import { untilDone } from './backoff.js';

describe('untilDone', () => {
  it('tries again until it succeeds, waiting up to twice as long each time', async () => {
    const waits: number[] = [];
    let tries = 0;
    const attempt = async () => {
      if (++tries < 5) throw new Error('not yet');
      return tries;
    };
    const onFailure = (_: unknown, waitMs: number) => waits.push(waitMs);
    const { signal } = new AbortController();
    expect(await untilDone(attempt, { firstMs: 2, maxMs: 8, signal, onFailure })).toBe(5);
    for (const [index, most] of [2, 4, 8, 8].entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(most / 2);
      expect(waits[index]).toBeLessThanOrEqual(most);
    }
  });

  it('waits no shorter than the failure asks for', async () => {
    const waits: number[] = [];
    const attempt = async () => {
      if (waits.length < 1) throw new Error('busy');
    };
    const onFailure = (_: unknown, waitMs: number) => waits.push(waitMs);
    await untilDone(attempt, { firstMs: 2, maxMs: 8, onFailure, leastMs: () => 30 });
    expect(waits).toEqual([30]);
  });

  it('throws what will not get better', async () => {
    const attempt = async () => {
      throw new TypeError('a bug');
    };
    const { signal } = new AbortController();
    const never = () => expect.unreachable();
    await expect(untilDone(attempt, { firstMs: 1, maxMs: 1, signal, onFailure: never }, () => false)).rejects.toThrow(
      'a bug',
    );
  });

  it('ends its wait with the reason of the signal', async () => {
    const stop = new AbortController();
    const attempt = async () => {
      throw new Error('down');
    };
    const onFailure = () => setImmediate(() => stop.abort(new Error('stopped')));
    const waiting = untilDone(attempt, { firstMs: 60_000, maxMs: 60_000, signal: stop.signal, onFailure });
    await expect(waiting).rejects.toThrow('stopped');
  });
});
