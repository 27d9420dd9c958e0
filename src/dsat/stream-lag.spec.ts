import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StreamLag } from './stream-lag.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

describe('the lag of a stream', () => {
  it('counts what all partitions lack', () => {
    const lag = new StreamLag();
    lag.set(0, 300);
    expect(lag.isBehind).toBe(false);
    lag.set(1, 300);
    expect(lag.isBehind).toBe(true);
  });

  it('lasts for as long as the records are missing', () => {
    const lag = new StreamLag();
    lag.set(0, 600);
    vi.advanceTimersByTime(60_000);
    expect(lag.isBehind).toBe(true);
  });

  it('lasts from one large batch to the next', () => {
    const lag = new StreamLag();
    lag.set(0, 600);
    lag.set(0, 0);
    vi.advanceTimersByTime(900);
    expect(lag.isBehind).toBe(true);
    vi.advanceTimersByTime(200);
    expect(lag.isBehind).toBe(false);
  });

  it('holds up nobody while the stream itself waits for the second stage', () => {
    const lag = new StreamLag();
    lag.set(0, 600);
    lag.held = true;
    expect(lag.isBehind).toBe(false);
  });
});
