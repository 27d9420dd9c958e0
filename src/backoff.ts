import { setTimeout as sleep } from 'node:timers/promises';

export interface BackoffOptions {
  firstMs: number;
  maxMs: number;
  signal?: AbortSignal;
  onFailure: (error: unknown, waitMs: number) => void;
  /** What the failure itself asks to wait, such as `Retry-After`; the wait is not shorter. */
  leastMs?: (error: unknown) => number;
}

/**
 * Tries until it succeeds, waiting longer each time (with jitter), and returns what it returned.
 * @throws the signal's reason once it is aborted, and what `attempt` threw where `retriable` says that it will not get better
 */
export async function untilDone<T>(
  attempt: () => Promise<T>,
  { firstMs, maxMs, signal, onFailure, leastMs = () => 0 }: BackoffOptions,
  retriable: (error: unknown) => boolean = () => true,
): Promise<T> {
  for (let waitMs = firstMs; ; waitMs = Math.min(waitMs * 2, maxMs)) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!retriable(error)) throw error;
      const jittered = Math.max(Math.round(waitMs * (0.5 + Math.random() / 2)), leastMs(error));
      onFailure(error, jittered);
      await sleep(jittered, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}
