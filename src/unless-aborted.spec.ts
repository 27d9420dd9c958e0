import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { unlessAborted } from './unless-aborted.js';

const STOPPED = new Error('stopped');

describe('work that a signal may end', () => {
  it('comes to what it comes to, and leaves nothing at the signal', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(1), signal)).toBe(1);
    await expect(unlessAborted(Promise.reject(new Error('failed')), signal)).rejects.toThrow('failed');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('is not waited for any more once the signal aborts, whatever becomes of it', async () => {
    const stopping = new AbortController();
    let fail = (_: Error) => {};
    const work = new Promise<void>((_, reject) => {
      fail = reject;
    });
    const waiting = unlessAborted(work, stopping.signal);
    stopping.abort(STOPPED);
    await expect(waiting).rejects.toBe(STOPPED);
    fail(new Error('failed later'));
    await new Promise(setImmediate);
  });

  it('is not waited for where the signal is aborted already', async () => {
    await expect(unlessAborted(new Promise(() => {}), AbortSignal.abort(STOPPED))).rejects.toBe(STOPPED);
  });
});
